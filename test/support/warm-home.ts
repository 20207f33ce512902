/** Made once for each test run by `global-setup.ts`: binaries and an empty cluster, which take seconds to make. */
export const warmHomeVariable = 'PGB_TEST_WARM_HOME'
