import { store } from '../src/stores/kysely.ts'
import { describeService } from './behaviour.ts'

describeService(store)
