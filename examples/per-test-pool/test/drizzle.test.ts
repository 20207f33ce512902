import { store } from '../src/stores/drizzle.ts'
import { describeService } from './behaviour.ts'

describeService(store)
