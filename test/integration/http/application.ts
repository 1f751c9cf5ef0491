import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hub, Hub, hubMethod } from '@hubline/core';
import { Recorder } from '../../support/recorder.js';

/** The hub that is mounted. */
@hub('chat')
export class ChatHub extends Hub {
  @hubMethod() add(a: number, b: number) {
    return a + b;
  }
}

/** The hub of another server. */
@hub('news')
export class NewsHub extends Hub {}

/** An application that answers every request, and writes down which it was asked. */
export class Application {
  readonly asked = new Recorder<string>('what the application was asked');

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    const line = `${request.method} ${request.url}`;
    this.asked.add(line);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(`the application: ${line} ${body}`.trimEnd()));
  };

  serve(): Server {
    return createServer(this.listener);
  }
}
