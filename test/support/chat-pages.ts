import type { Browser, BrowserContext, Page } from 'playwright-core';

const pageWaitMs = 15_000;

/** What was said in a room, as a page shows it. */
export interface Said {
  readonly from: string;
  readonly text: string;
  readonly replayed: boolean;
}

/** The pages of the chat sample, each in a window of its own: a tab in the background is slow. */
export class ChatPages {
  private readonly contexts: BrowserContext[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly url: string,
  ) {}

  /** Somebody signs in on a new page, joins rooms and opens the first of them. */
  async signIn(name: string, client: 'classic' | 'modern', ...rooms: readonly string[]): Promise<ChatPerson> {
    const page = await this.newPage();
    await page.goto(this.url);
    await page.fill('#name', name);
    await page.check(`#sign-in [value=${client}]`);
    await page.click('#sign-in [type=submit]');
    await page.waitForSelector('#my-rooms .room');
    const person = new ChatPerson(name, page);
    for (const room of rooms) await person.join(room);
    if (rooms[0] !== undefined) await person.open(rooms[0]);
    return person;
  }

  async administrate(): Promise<ChatAdministrator> {
    const page = await this.newPage();
    await page.goto(`${this.url}/admin`);
    return new ChatAdministrator(page);
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    await Promise.all(this.contexts.splice(0).map((context) => context.close()));
  }

  private async newPage(): Promise<Page> {
    const context = await this.browser.newContext();
    this.contexts.push(context);
    context.setDefaultTimeout(pageWaitMs);
    return context.newPage();
  }
}

/** Somebody's page. */
export class ChatPerson {
  constructor(
    readonly name: string,
    readonly page: Page,
  ) {}

  /** As the server knows them. */
  get id(): string {
    return this.name.toLowerCase();
  }

  async join(room: string): Promise<void> {
    await this.page.click(`[aria-label="Join ${room}"]`);
    await this.waitForRoom(room);
  }

  /** Waits until a room is among one's own. */
  async waitForRoom(room: string): Promise<void> {
    await this.page.waitForSelector(`#my-rooms [data-room=${room}]`);
  }

  async open(room: string): Promise<void> {
    await this.page.click(`.room[data-room=${room}]`);
    await this.page.waitForFunction((name) => document.querySelector('#room-name')?.textContent === `#${name}`, room);
  }

  /** Says something, and waits until one's own page shows it. */
  async say(text: string): Promise<void> {
    await this.page.fill('#text', text);
    await this.page.click('#send');
    await this.waitForText(text);
  }

  async waitForText(text: string): Promise<void> {
    await this.page.waitForSelector(`.said-text:text("${text}")`);
  }

  /** Cuts the network, and waits until the client has noticed. */
  async cut(): Promise<void> {
    await this.page.click('#plug');
    await this.waitForState('reconnecting');
  }

  /** Restores the network, and waits until the page has told what came back. */
  async restore(stage: 'connect' | 'reconnect'): Promise<void> {
    const shown = await this.page.locator(`[data-kind=${stage}]`).count();
    await this.page.click('#plug');
    await this.waitForState('connected');
    await this.page.locator(`[data-kind=${stage}]`).nth(shown).waitFor();
  }

  async waitForState(state: string): Promise<void> {
    await this.page.waitForSelector(`#state[data-state=${state}]`);
  }

  /** What was said in the room that is open, oldest first. */
  said(): Promise<readonly Said[]> {
    return this.page.$$eval('.said', (entries) => {
      let from = '';
      return entries.map((entry) => {
        from = entry.querySelector('.said-head strong')?.textContent ?? from;
        const text = entry.querySelector('.said-text')?.firstChild?.textContent ?? '';
        return { from, text, replayed: entry.classList.contains('replayed') };
      });
    });
  }

  connectionId(): Promise<string> {
    return this.page.innerText('#connection-id');
  }

  /** The texts of all elements that a selector finds. */
  texts(selector: string): Promise<readonly string[]> {
    return this.page.locator(selector).allInnerTexts();
  }
}

/** The administrator's page. */
export class ChatAdministrator {
  constructor(private readonly page: Page) {}

  /** Waits until the server has noticed that somebody is cut off. */
  async waitForCut({ id }: ChatPerson): Promise<void> {
    await this.page.waitForSelector(`[data-user="${id}"] [data-state=waiting]`);
  }

  async remove({ id }: ChatPerson, room: string, by: 'module' | 'revocation'): Promise<void> {
    await this.page.locator(`#by [value=${by}]`).check({ force: true });
    await this.page.click(`[data-key="${id} ${room}"]`);
    await this.page.waitForSelector(`[data-key="${id} ${room}"]`, { state: 'detached' });
  }

  async add({ id }: ChatPerson, room: string): Promise<void> {
    await this.page.selectOption(`[data-user="${id}"] select`, room);
    await this.page.waitForSelector(`[data-key="${id} ${room}"]`);
  }
}
