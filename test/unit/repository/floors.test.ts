import { expect } from 'chai';
import { importScript, repositoryPath } from '../../support/repository.js';

type Files = Record<string, string>;

const { checkFloors, readSources } = await importScript<{
  checkFloors: (files: Files) => string[];
  readSources: (folder: string) => Files;
}>('check-floors.mjs');

describe('the floors of core/src', () => {
  it('a tree that imports its own floor and below passes', () => {
    const problems = checkFloors({
      'index.ts': "export { Hub } from './hubs/hub.js';",
      'clock.ts': '',
      'hubs/hub.ts': "import type { Topic } from '../messaging/topic.js';\nimport { clients } from './clients.js';",
      'hubs/clients.ts': "import { clock } from '../clock.js';",
      'messaging/topic.ts': '',
    });
    expect(problems).to.deep.equal([]);
  });

  for (const [kind, text] of Object.entries({
    'an import': "import { Hub } from '../hubs/hub.js';",
    'an import of types': "import type { Hub } from '../hubs/hub.js';",
    'an import over several lines': "import {\n  Hub,\n} from '../hubs/hub.js';",
    'an import for its effect': "import '../hubs/hub.js';",
    'a re-export': "export * from '../hubs/hub.js';",
    'a dynamic import': "const hub = await import('../hubs/hub.js');",
    'an inline type': "let hub: import('../hubs/hub.js').Hub;",
  })) {
    it(`${kind} of a higher floor is found`, () => {
      const problems = checkFloors({ 'hubs/hub.ts': '', 'wire/transport.ts': text });
      expect(problems).to.deep.equal(['wire/transport.ts imports hubs/hub.ts, which is on a higher floor.']);
    });
  }

  it('nothing imports the roof', () => {
    const problems = checkFloors({ 'index.ts': '', 'testing/client.ts': "import { Hub } from '../index.js';" });
    expect(problems).to.deep.equal(['testing/client.ts imports index.ts, which is on a higher floor.']);
  });

  it('a circle of files on one floor is found once, types included', () => {
    const problems = checkFloors({
      'hubs/a.ts': "import { b } from './b.js';",
      'hubs/b.ts': "import { c } from './c.js';",
      'hubs/c.ts': "import type { A } from './a.js';",
    });
    expect(problems).to.deep.equal(['A circle: hubs/a.ts → hubs/b.ts → hubs/c.ts → hubs/a.ts.']);
  });

  it('a folder that is no floor is found', () => {
    expect(checkFloors({ 'helpers/text.ts': '' })).to.deep.equal([
      "helpers/text.ts: 'helpers' is not one of the floors.",
    ]);
  });

  it('an import of a file that is not there is found', () => {
    const problems = checkFloors({ 'clock.ts': "import { now } from './now.js';" });
    expect(problems).to.deep.equal(['clock.ts imports now.ts, which is not there.']);
  });

  it('a file that imports its own package by name is found', () => {
    const problems = checkFloors({ 'clock.ts': "import { Hub } from '@hubline/core';" });
    expect(problems).to.deep.equal(['clock.ts imports its own package by name.']);
  });

  it('imports in comments do not count', () => {
    const problems = checkFloors({
      'clock.ts': "/**\n * import { Hub } from './hubs/hub.js';\n */\n// import './x.js';",
    });
    expect(problems).to.deep.equal([]);
  });

  it('hold in the real tree', () => {
    const files = readSources(repositoryPath('core/src'));
    expect(Object.keys(files)).to.include('errors.ts');
    expect(checkFloors(files)).to.deep.equal([]);
  });
});
