import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
/** How pages that are also published elsewhere name a file of this repository. */
const ownUrl = /^https:\/\/github\.com\/pg-branch\/pg-branch\/(?:tree|blob)\/main\//

function listPages(): string[] {
  const text = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: repository,
    encoding: 'utf8',
  })
  return text.split('\n').filter((path) => path !== '' && existsSync(join(repository, path)))
}

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** @returns the anchors of a page's headings, as GitHub makes them. */
function listAnchors(path: string): string[] {
  const text = readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

function describeProblem(page: string, link: string): string | undefined {
  const isOwn = ownUrl.test(link)
  if (!isOwn && /^[a-z]+:/.test(link)) return undefined
  const [path = '', anchor] = link.replace(ownUrl, '').split('#')
  const target = isOwn ? join(repository, path) : path === '' ? page : join(dirname(page), path)
  if (!existsSync(target)) return 'leads nowhere'
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  return listAnchors(target).includes(anchor) ? undefined : 'names no heading there'
}

test('every link in every page leads to something of this repository, or out of it', () => {
  const pages = listPages()
  expect(pages.length).toBeGreaterThan(30)
  const links = pages.flatMap((path) => {
    const page = join(repository, path)
    const text = withoutCode(readFileSync(page, 'utf8'))
    return [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, link = '']) => ({ page, link }))
  })
  expect(links.length).toBeGreaterThan(100)
  const problems = links.flatMap(({ page, link }) => {
    const problem = describeProblem(page, link)
    return problem === undefined ? [] : [`${relative(repository, page)}: ${link} ${problem}`]
  })
  expect(problems).toEqual([])
})
