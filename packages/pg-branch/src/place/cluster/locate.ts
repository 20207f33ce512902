import type { PlaceContext } from '../contract.ts'
import type { PostgresBinaries, RejectedCandidate } from '../../postgres/contract.ts'
import { locatePostgres } from '../../postgres/registry.ts'
import { createKeys, type TemplateKeys } from '../../template/keys.ts'
import { createBuildRecord, type BuildRecord } from '../../template/why.ts'
import type { OpenVolume } from '../volumes.ts'

/** With what, and where, a plan that has servers of its own is made, and as what. */
export interface LocatedCluster extends OpenVolume {
  binaries: PostgresBinaries
  /** Providers that were not taken. */
  rejected: RejectedCandidate[]
  keys: TemplateKeys
  record: BuildRecord
}

export async function locateCluster({
  plan,
  paths,
  volumes,
}: Pick<PlaceContext, 'plan' | 'paths' | 'volumes'>): Promise<LocatedCluster> {
  const { postgres, baseDir, volume } = plan.config
  const { binaries, rejected } = await locatePostgres({ ...postgres, baseDir, binariesDir: paths.binariesDir })
  const keys = createKeys(plan, binaries)
  return { ...(await volumes.open(volume)), binaries, rejected, keys, record: createBuildRecord(keys, plan) }
}
