import { Hub, hub, hubMethod } from '@hubline/core';
import { failure, testServer } from '@hubline/core/testing';
import { expect } from 'chai';

describe('the log of a test server', () => {
  it('names the module that a client is told nothing of', async () => {
    @hub('echo')
    class EchoHub extends Hub {
      @hubMethod() echo(text: string): string {
        return text;
      }
    }
    await using app = testServer({
      hubs: [EchoHub],
      modules: [{ name: 'forgetful', invoke: () => undefined as never }],
    });
    const ann = await app.connect(EchoHub);
    await failure(ann.invoke('echo', 'a'));
    const [line] = app.log.filter(({ level }) => level === 'error');
    expect(line?.details).to.have.nested.property('error.code', 'HUB_STAGE_RETURNED_NOTHING');
    expect(line?.details).to.have.nested.property('error.details.module', 'forgetful');
  });
});
