import { expect } from '@playwright/test'
import { test } from './app.ts'

test.describe.configure({ mode: 'parallel' })

for (const attempt of [1, 2, 3]) {
  test(`the seed counts 41 visits, whatever test ${attempt} of this file did before`, async ({ appUrl, request }) => {
    expect(await (await request.get(`${appUrl}/`)).text()).toBe('42')
    expect(await (await request.get(`${appUrl}/`)).text()).toBe('43')
  })
}
