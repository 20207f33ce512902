import { expect, test } from 'vitest'
import type { StepPlan } from '../seed/contract.ts'
import { buildLayers, type LayerRequest } from './build.ts'
import type { TemplateKeys } from './keys.ts'
import type { BuildRecord } from './why.ts'

const createStep = (label: string, files: string[]): StepPlan => ({
  kind: 'sql',
  label,
  database: '',
  fingerprint: label,
  inputs: Object.fromEntries(files.map((file) => [file, file])),
  additions: files,
  journal: [],
})

const createKeys = (names: string[]): TemplateKeys => ({
  base: 'base',
  layers: names.map((name) => `layer ${name}`),
  sealed: names.map((name) => `sealed ${name}`),
})

/** Builds among layers that are there, each a text of all that was run in it. */
async function build(steps: StepPlan[], { there = {}, last, keys }: Options) {
  const layers = new Map(Object.entries(there))
  const requests: Array<LayerRequest<string>> = []
  const phases: string[] = []
  const result = await buildLayers<string, string>(
    {
      find: async (key) => layers.get(key),
      makeBase: async () => 'base',
      async extend(request) {
        requests.push(request)
        request.report({})
        const step = request.stepIndex === undefined ? undefined : steps[request.stepIndex]
        const made = [request.from, ...(step?.additions.slice(request.additions) ?? [])].join('+')
        layers.set(request.key, made)
        return made
      },
    },
    { steps, keys, last, onProgress: ({ phase }) => void phases.push(phase) },
  )
  return { ...result, requests, phases, layers }
}

interface Options {
  there?: Record<string, string>
  keys: TemplateKeys
  last?: BuildRecord
}

const [one, two, three] = [createStep('one', ['a']), createStep('two', ['b', 'c']), createStep('three', ['d'])]
const keys = createKeys(['0', '1', '2', '3'])

test('every step is run once, in order; each result is kept under its key, and only the last is sealed', async () => {
  const { template, stepsRun, layers, requests, phases } = await build([one, two, three], { keys })
  expect(template).toBe('base+a+b+c+d')
  expect(stepsRun).toBe(3)
  expect([...layers.keys()]).toEqual(['layer 1', 'layer 2', 'sealed 3'])
  expect(requests.map(({ isLast }) => isLast)).toEqual([false, false, true])
  expect(requests.map(({ description }) => description)).toEqual(['one', 'one, two', 'one, two, three'])
  expect(phases).toEqual(['step 1 of 3: one', 'step 2 of 3: two', 'step 3 of 3: three'])
})

test('a plan without steps is sealed as it is', async () => {
  const { template, stepsRun, requests } = await build([], { keys: createKeys(['0']) })
  expect(template).toBe('base')
  expect(stepsRun).toBe(0)
  expect(requests).toMatchObject([{ stepIndex: undefined, isLast: true, key: 'sealed 0' }])
})

test('what is there is built upon: the deepest layer, or a sealed state of fewer steps', async () => {
  const after = await build([one, two, three], { keys, there: { 'layer 1': 'L1', 'layer 2': 'L2' } })
  expect(after).toMatchObject({ template: 'L2+d', stepsRun: 1 })
  const longer = await build([one, two, three], { keys, there: { 'sealed 2': 'S2' } })
  expect(longer).toMatchObject({ template: 'S2+d', stepsRun: 1 })
})

test('a step that only grew runs what was added, on top of its last state', async () => {
  const grown = createStep('two', ['b', 'c', 'c2'])
  const last = { sealedKey: '', baseKey: '', rootKey: '', keys: createKeys(['0', '1', 'old']), steps: [one, two] }
  const there = { 'layer 1': 'L1', 'sealed old': 'OLD' }
  const { template, filesReused, requests } = await build([one, grown], { keys, last, there })
  expect(template).toBe('OLD+c2')
  expect(filesReused).toBe(2)
  expect(requests).toMatchObject([{ from: 'OLD', stepIndex: 1, additions: 2, key: 'sealed 2' }])
})
