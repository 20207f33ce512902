import { store } from '../src/stores/postgres-js.ts'
import { describeService } from './behaviour.ts'

describeService(store)
