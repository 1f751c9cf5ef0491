import { expect } from 'chai';
import { ChatPages, type ChatAdministrator, type ChatPerson } from '../support/chat-pages.js';
import { ChatSample } from '../support/chat-sample.js';
import { useChromium } from '../support/chromium.js';

describe('the chat sample, in Chromium', function () {
  this.timeout(90_000);
  const browser = useChromium();
  let sample: ChatSample;
  let office: ChatPages;
  let administrator: ChatAdministrator;
  let people: ChatPages;
  let ann: ChatPerson;
  let bob: ChatPerson;
  let round = 0;

  before('start the sample', async () => {
    sample = await ChatSample.start();
    office = new ChatPages(browser(), sample.url);
    administrator = await office.administrate();
  });

  // Each test has people of its own, who have never been here.
  beforeEach('two people, two rooms', async () => {
    round++;
    people = new ChatPages(browser(), sample.url);
    [ann, bob] = await Promise.all([
      people.signIn(`Ann ${round}`, 'classic', 'operations', 'design'),
      people.signIn(`Bob ${round}`, 'modern', 'operations', 'design'),
    ]);
  });

  afterEach('close their pages', () => people.close());

  after('stop the sample', async () => {
    await office.close();
    await sample.stop();
  });

  const cutAnn = async (): Promise<void> => {
    await ann.cut();
    await administrator.waitForCut(ann);
  };
  const sayInDesign = async (text: string): Promise<void> => {
    await bob.open('design');
    await bob.say(text);
  };
  const verdicts = () => ann.texts('.log > :first-child .verdict');

  it('lets both clients talk in one room', async () => {
    await ann.say('from the classic client');
    await bob.waitForText('from the classic client');
    await bob.say('from the modern client');
    await ann.waitForText('from the modern client');
    const both = [
      { from: ann.name, text: 'from the classic client', replayed: false },
      { from: bob.name, text: 'from the modern client', replayed: false },
    ];
    expect(await ann.said()).to.deep.equal(both);
    expect(await bob.said()).to.deep.equal(both);
  });

  it('replays to a classic client what it missed in a room that it is back in, once and in order', async () => {
    await bob.say('before the cut');
    await ann.waitForText('before the cut');
    const id = await ann.connectionId();
    await cutAnn();
    await bob.say('the first that is missed');
    await bob.say('the second that is missed');
    expect(await ann.said()).to.have.lengthOf(1);
    await ann.restore('reconnect');
    await bob.say('after the cut');
    await ann.waitForText('after the cut');
    expect(await ann.said()).to.deep.equal([
      { from: bob.name, text: 'before the cut', replayed: false },
      { from: bob.name, text: 'the first that is missed', replayed: true },
      { from: bob.name, text: 'the second that is missed', replayed: true },
      { from: bob.name, text: 'after the cut', replayed: false },
    ]);
    expect(await ann.connectionId()).to.equal(id);
    expect(await ann.texts('.tag[data-kind=twice]')).to.deep.equal([]);
  });

  it('leaves out the room that somebody was removed from while away, says why, and tells nothing of it', async () => {
    await cutAnn();
    await administrator.remove(ann, 'design', 'module');
    await sayInDesign('not for Ann');
    await bob.open('operations');
    await bob.say('for Ann too');
    await ann.restore('reconnect');
    const reason = 'the database says that you are not a member any more';
    expect(await verdicts()).to.deep.equal([
      '#lobby\nrejoined',
      '#operations\nrejoined',
      `#design\nrefused: ${reason}`,
    ]);
    expect((await ann.said()).map(({ text }) => text)).to.deep.equal(['for Ann too']);

    await ann.open('design');
    expect(await ann.texts('.note[data-tone=bad]')).to.deep.equal([`You are not in this room any more: ${reason}.`]);
    await sayInDesign('not for Ann either');
    await bob.open('operations');
    await bob.say('the last word');
    await ann.open('operations');
    await ann.waitForText('the last word');
    await ann.open('design');
    expect(await ann.said()).to.deep.equal([]);
  });

  it('says of a membership that was revoked meanwhile that it was revoked', async () => {
    await cutAnn();
    await administrator.remove(ann, 'design', 'revocation');
    await sayInDesign('not for Ann');
    await ann.restore('reconnect');
    expect((await verdicts()).at(-1)).to.match(/^#design\nrefused: revoked: an administrator/);
    await ann.open('design');
    expect(await ann.said()).to.deep.equal([]);
  });

  it('puts somebody into a room that they were added to while away', async () => {
    await cutAnn();
    await administrator.add(ann, 'kitchen');
    await ann.restore('reconnect');
    expect(await verdicts()).to.include('#kitchen\nadded: it was not claimed');
    await ann.waitForRoom('kitchen');
  });

  it('takes somebody who is connected out of a room at once', async () => {
    await administrator.remove(ann, 'design', 'module');
    await ann.page.waitForSelector('#other-rooms [data-room=design]');
    await sayInDesign('not for Ann');
    await bob.open('operations');
    await bob.say('for Ann too');
    await ann.waitForText('for Ann too');
    await ann.open('design');
    expect(await ann.said()).to.deep.equal([]);
  });

  it('gives a modern client that was cut off a new connection, its rooms, and nothing of what it missed', async () => {
    const id = await bob.connectionId();
    await bob.cut();
    await ann.say('missed by Bob');
    await bob.restore('connect');
    await bob.page.waitForSelector('.note[data-tone=warn]');
    expect(await bob.connectionId()).to.not.equal(id);
    expect(await bob.texts('#my-rooms .room-name')).to.deep.equal(['lobby', 'design', 'operations']);
    expect(await bob.texts('.note[data-tone=warn]')).to.match(
      /^This is a new connection\. .* is not replayed to it\.$/,
    );
    await ann.say('heard by Bob');
    await bob.waitForText('heard by Bob');
    expect((await bob.said()).map(({ text }) => text)).to.deep.equal(['heard by Bob']);
  });

  it('brings a classic client back to a server that was restarted', async () => {
    await sample.restart();
    await ann.page.waitForSelector('.log-title:has-text("Back at a server that had forgotten it")');
    await bob.page.waitForSelector('.note[data-tone=warn]');
    await bob.say('still here');
    await ann.waitForText('still here');
  });

  it('shows the modules that an event passed, outermost first, and what it sent', async () => {
    await ann.say('hello');
    const call = ann.page.locator('.event', { has: ann.page.locator('.innermost:text("chat.say")') });
    await call.waitFor();
    const passed = (chain: string) => call.locator(`${chain} > *`).allInnerTexts();
    expect(await passed(':scope > .chain')).to.deep.equal(['pipeline-feed', 'rate-limit', 'authorize', 'chat.say']);
    expect(await passed('.sent .chain')).to.deep.equal(['pipeline-feed', 'message → group operations']);
  });

  for (const client of ['classic', 'modern'])
    it(`shows on the page of a ${client} client why a call was refused`, async () => {
      const { page } = client === 'classic' ? ann : bob;
      await page.fill('#text', 'x'.repeat(501));
      await page.click('#send');
      const problem = 'A message has at most 500 characters; this one has 501.';
      await page.waitForSelector(`#problem:text-is("${problem}")`);
      await page.waitForSelector(`.refusal:text-is("refused: ${problem}")`);
      expect(await page.inputValue('#text')).to.have.lengthOf(501);
    });

  it('leaves open what was chosen while another room was still being joined', async () => {
    await ann.open('operations');
    await ann.page.evaluate(() => {
      document.querySelector<HTMLElement>('[aria-label="Join kitchen"]')?.click();
      document.querySelector<HTMLElement>('.room[data-room=operations]')?.click();
    });
    await ann.waitForRoom('kitchen');
    await ann.say('Still here.');
    expect(await ann.page.textContent('#room-name')).to.equal('#operations');
  });
});
