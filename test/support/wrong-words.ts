/** Every command, with as many words as it needs. */
const commands: Record<string, string[]> = {
  init: ['init'],
  run: ['run'],
  status: ['status'],
  up: ['up'],
  down: ['down'],
  logs: ['logs'],
  gc: ['gc'],
  doctor: ['doctor'],
  'branch create': ['branch', 'create', 'a'],
  'branch fork': ['branch', 'fork', 'a', 'b'],
  'branch ls': ['branch', 'ls'],
  'branch show': ['branch', 'show', 'a'],
  'branch url': ['branch', 'url', 'a'],
  'branch psql': ['branch', 'psql', 'a'],
  'branch snapshot': ['branch', 'snapshot', 'a', 'b'],
  'branch restore': ['branch', 'restore', 'a', 'b'],
  'branch diff': ['branch', 'diff', 'a', 'b'],
  'branch rm': ['branch', 'rm', 'a'],
  'template build': ['template', 'build'],
  'template why': ['template', 'why'],
  'template ls': ['template', 'ls'],
  'template show': ['template', 'show', 'a'],
  'template rm': ['template', 'rm', 'a'],
  'template pack': ['template', 'pack', 'a'],
  'template push': ['template', 'push', 'a'],
  'template pull': ['template', 'pull', 'a'],
  'volume create': ['volume', 'create'],
  'volume grow': ['volume', 'grow', '1G'],
  'volume status': ['volume', 'status'],
  'volume remove': ['volume', 'remove'],
}
const withConfig = Object.entries(commands).filter(([name]) => !/^(init|status|down|logs|doctor|volume .*)$/.test(name))
/** The others only need to know where it is. */
const loadingConfig = withConfig.filter(([name]) => !/^(run|branch (ls|show|url|psql|snapshot|restore|rm))$/.test(name))
/** Which have a word that they cannot do without. */
const needy = Object.entries(commands).filter(([name, { length }]) => length > name.split(' ').length)

export type Row = [args: string[], exitCode: number, says: RegExp]

const badNames = ['../up', 'a b', '-a', 'template', 'é', 'x'.repeat(101)].flatMap((name): Row[] => [
  [
    ['branch', 'create', '--', name].filter((word) => word !== '--' || name.startsWith('-')),
    1,
    /PGB_ARGUMENT|EARG|Missing/,
  ],
])

/** What is wrong in itself, in a project with a branch `dev` that has a snapshot `one`. */
export const wrongWords: Row[] = [
  ...['S3:bucket/x', 'S4://bucket', 'oci:host/x', 'https://example.com/x'].flatMap((store): Row[] => [
    [['template', 'push', store], 1, /is no template store that pg-branch knows\n.*s3:\/\/bucket.*PGB_ARGUMENT/s],
  ]),
  ...Object.values(commands).map((args): Row => [[...args, '--nonsense'], 1, /there is no option --nonsense/]),
  ...Object.values(commands).map((args): Row => [[...args, 'a', 'b', 'c'], 1, /nothing takes the word "[abc]"/]),
  ...needy
    .filter(([name]) => !/push|pull/.test(name))
    .map(([name]): Row => [name.split(' '), 1, /Missing required positional argument/]),
  ...withConfig
    .filter(([name]) => name !== 'run')
    .map(([, args]): Row => [[...args, '--config', 'nowhere.ts'], 1, /nowhere\.ts.*PGB_CONFIG_NOT_FOUND/s]),
  ...loadingConfig.map(([, args]): Row => [[...args, '--config', 'broken.mjs'], 1, /broken\.mjs.*PGB_CONFIG_LOAD/s]),
  ...loadingConfig.map(([, args]): Row => [[...args, '--config', 'odd.mjs'], 1, /odd\.mjs.*PGB_CONFIG_INVALID/s]),
  ...badNames,
  [['nonsense'], 1, /Unknown command/],
  [['branch', 'nonsense'], 1, /Unknown command/],
  [['template', 'nonsense'], 1, /Unknown command/],
  [['volume', 'nonsense'], 1, /Unknown command/],
  [['branch', 'lss'], 1, /Unknown command/],
  [['--nonsense'], 1, /--nonsense/],
  [['complete', 'nonsense'], 1, /nonsense/],
  [['init'], 1, /no test runner that pg-branch knows/],
  [['run'], 1, /there is no command to run/],
  [['run', 'ls'], 1, /nothing takes the word "ls".*after two dashes/s],
  [['run', '--', 'no-such-command'], 127, /no-such-command could not be started/],
  [['run', '--config', 'nowhere.ts', '--', 'true'], 1, /PGB_CONFIG_NOT_FOUND/],
  [['up', '--for', 'never'], 1, /--for is "never"/],
  [['up', '--for', 'soon'], 1, /--for is "soon"/],
  [['up', '--for'], 1, /--for needs a value/],
  [['logs', '--of', 'nonsense'], 1, /nonsense/],
  [['logs', '--lines', '-1'], 1, /--lines is "-1"/],
  [['logs', '--lines', 'all'], 1, /--lines is "all"/],
  ...['5 minutes', '-1h', '0s', '1y', 'NaN', '1', '', '9999999d', '1e3s'].map((ttl): Row => [
    ['branch', 'create', 'x', `--ttl=${ttl}`],
    1,
    /--ttl is ".*".*for example 90s/s,
  ]),
  [['branch', 'create', 'x', '--label', 'pr'], 1, /--label has "pr"/],
  [['branch', 'create', 'x', '--label', '=1'], 1, /--label has "=1"/],
  [['branch', 'create', 'x', '--from', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'create', 'x', '--from', 'dev@nowhere'], 1, /nowhere.*PGB_SNAPSHOT_UNKNOWN/s],
  [['branch', 'create', 'x', '--from', 'dev@'], 1, /"" cannot be the name of a snapshot/],
  [['branch', 'create', 'x', '--from', 'template:0000'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['branch', 'create', 'x', '--from', 'template:xyz'], 1, /no template whose key begins with xyz/],
  [['branch', 'create', 'dev', '--from', 'dev@one'], 1, /dev is there already, made from template/],
  [['branch', 'fork', 'nowhere', 'x'], 1, /no branch "nowhere"/],
  [['branch', 'fork', 'dev', 'a b'], 1, /"a b" cannot be the name/],
  [['branch', 'show', 'dve'], 1, /Did you mean dev\?/],
  [['branch', 'url', 'nowhere'], 1, /There are: dev\./],
  [['branch', 'psql', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'psql', 'dev', '-c', 'SELECT 1'], 1, /there is no option -c/],
  [['branch', 'snapshot', 'nowhere', 'one'], 1, /no branch "nowhere"/],
  [['branch', 'snapshot', 'dev', '../../x'], 1, /cannot be the name of a snapshot/],
  [['branch', 'restore', 'dev', 'nowhere'], 1, /nowhere.*PGB_SNAPSHOT_UNKNOWN/s],
  [['branch', 'restore', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'diff', 'nowhere'], 1, /no branch "nowhere"/],
  [['branch', 'diff', 'dev', 'dev@nowhere'], 1, /PGB_SNAPSHOT_UNKNOWN/],
  [['branch', 'diff', 'dev', '--samples', 'many'], 1, /--samples is "many"/],
  [['branch', 'rm', 'nowhere'], 1, /no branch "nowhere"/],
  [['template', 'show', 'ffff'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['template', 'rm', 'ffff'], 1, /PGB_TEMPLATE_UNKNOWN/],
  [['template', 'rm', 'CURRENT'], 1, /PGB_TEMPLATE_IN_USE/],
  [['template', 'push'], 1, /cache: \{ store/],
  [['template', 'pull'], 1, /cache: \{ store/],
  [['template', 'push', 'ftp://host/x'], 1, /ftp/],
  [['template', 'push', 'oci://'], 1, /oci/],
  [['template', 'push', 'oci://127.0.0.1:9/app'], 2, /127\.0\.0\.1:9.*PGB_STORE/s],
  [['template', 'pack', 'broken.mjs'], 2, /broken\.mjs.*PGB_STORE/s],
  ...['big', '1M', '-1G', '0', ''].map((size): Row => [
    ['volume', 'create', `--size=${size}`],
    1,
    /--size is ".*".*for example 20G/s,
  ]),
  [['volume', 'grow', 'big'], 1, /the size is "big"/],
  [['volume', 'grow', '1G'], 2, /is not mounted, so it cannot grow/],
]
