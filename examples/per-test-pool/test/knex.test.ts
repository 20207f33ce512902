import { store } from '../src/stores/knex.ts'
import { describeService } from './behaviour.ts'

describeService(store)
