import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryPath } from './repository.js';
import { within } from './within.js';

const startMs = 15_000;

/** The chat sample as a process of its own, with its data in a folder of its own. */
export class ChatSample {
  private process: ChildProcess | undefined;
  private port = 0;

  private constructor(private readonly folder: string) {}

  static async start(): Promise<ChatSample> {
    const folder = await mkdtemp(join(tmpdir(), 'hubline-chat-'));
    const sample = new ChatSample(folder);
    await sample.run();
    return sample;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends the process and starts another, with the same data at the same address. */
  async restart(): Promise<void> {
    await this.end();
    await this.run();
  }

  /** Ends the process, and forgets the data. */
  async stop(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true });
  }

  private async run(): Promise<void> {
    const main = repositoryPath('samples/chat/dist/server/main.js');
    const env = { ...process.env, PORT: String(this.port), HOST: '127.0.0.1', CHAT_DATA: this.folder };
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.process = child;
    const output = createInterface({ input: child.stdout });
    const [line] = (await within(once(output, 'line'), startMs, 'the first line of the sample')) as [string];
    this.port = Number(/http:\/\/localhost:(\d+)\//.exec(line)?.[1]);
  }

  /** Asks it to end, as Ctrl+C does; throws if it ends otherwise than by itself. */
  private async end(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit') as Promise<[code: number | null]>;
    child.kill('SIGTERM');
    try {
      const [code] = await within(ended, 4_500, 'the end of the sample');
      if (code !== 0) throw new Error(`The sample ended with ${String(code)}.`);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }
}
