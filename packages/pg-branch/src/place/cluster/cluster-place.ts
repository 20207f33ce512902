import type { PlaceKind } from '../contract.ts'
import { openClusterCatalog } from './catalog.ts'
import { ensureCluster } from './ensure.ts'
import { explainCluster } from './explain.ts'

/** Branches with servers of their own, cloned from a template on a volume. */
export const clusterPlace: PlaceKind = {
  id: 'cluster',
  ensure: ensureCluster,
  explain: explainCluster,
  openCatalog: openClusterCatalog,
}
