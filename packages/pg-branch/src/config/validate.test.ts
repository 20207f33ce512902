import { expect, test } from 'vitest'
import { command, dump, preset, sql } from './define.ts'
import { validateConfig } from './validate.ts'

test('accepts what the types allow', () => {
  const config = {
    seed: [sql('a.sql'), () => {}],
    database: 'x',
    postgres: { version: 16 as const, settings: { jit: true } },
    env: ['A_URL'],
    pool: { size: 3 },
  }
  expect(validateConfig(config, 'file')).toEqual(config)
  expect(validateConfig({}, 'file')).toEqual({})
})

test('every problem is named with its path, what was found and what is allowed', () => {
  const wrong = { sead: 1, pool: { size: -1 }, env: ['1X'], volume: { driver: 'zfs' }, database: 'x'.repeat(64) }
  expect(() => validateConfig(wrong, 'pg-branch.config.ts')).toThrow(
    expect.objectContaining({
      code: 'PGB_CONFIG_INVALID',
      message: expect.stringMatching(
        /`database` must be at most 63 bytes[\s\S]*`volume\.driver` must be \("btrfs" \| "reflink" \| "copy"\), found "zfs"[\s\S]*`pool\.size` must be 0 or more, found -1[\s\S]*`env\[0\]` is not a variable name[\s\S]*`sead` is not an option; did you mean `seed`\?/,
      ) as string,
    }) as Error,
  )
})

test('an unknown key that resembles nothing gets the list', () => {
  expect(() => validateConfig({ keep: { zzzzzzzzz: 1 } }, 'options')).toThrow(/allowed: max, forMs/)
})

test.each<[unknown, RegExp]>([
  [[command('x', { input: ['a'] } as never)], /`seed\[0\]\.input` is not an option; did you mean `inputs`\?/],
  [sql('a.sql'), /^$/],
  [dump('a.dump', { owner: true } as never), /`seed\.owner` is not an option; did you mean `owners`\?/],
  [preset('drizle' as never), /`seed\.name` must be .*, found "drizle"; did you mean "drizzle"\?/],
  [
    [{ kind: 'sql', globs: ['a'], zzzzzzzzz: 1 }],
    /`seed\[0\]\.zzzzzzzzz` is not an option; allowed: kind, globs, transaction/,
  ],
])('what a step does not take is refused by name: %j', (seed, problem) => {
  const check = () => void validateConfig({ seed }, 'file')
  if (problem.test('')) expect(check).not.toThrow()
  else expect(check).toThrow(problem)
})
