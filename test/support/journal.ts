import type { DisconnectReason, HubPipelineModule, Resume } from '@hubline/core';
import { Recorder } from './recorder.js';

/** What passed the pipeline. */
export type JournalEntry =
  | { readonly stage: 'connect'; readonly hub: string; readonly id: string }
  | {
      readonly stage: 'rejoiningGroups';
      readonly hub: string;
      readonly id: string;
      readonly claimed: readonly string[];
    }
  | { readonly stage: 'reconnect'; readonly hub: string; readonly id: string; readonly resume: Resume }
  | { readonly stage: 'disconnect'; readonly hub: string; readonly id: string; readonly reason: DisconnectReason };

type Stage = JournalEntry['stage'];

/** A module that writes down each event of a connection when the rest of its chain has completed. */
export class Journal implements HubPipelineModule {
  readonly name = 'journal';
  readonly entries = new Recorder<JournalEntry>('the journal');

  connect: HubPipelineModule['connect'] = async ({ hub, connection }, next) => {
    await next();
    this.entries.add({ stage: 'connect', hub: hub.name, id: connection.id });
  };

  rejoiningGroups: HubPipelineModule['rejoiningGroups'] = async ({ hub, connection, claimed }, next) => {
    const answer = await next();
    this.entries.add({ stage: 'rejoiningGroups', hub: hub.name, id: connection.id, claimed: [...claimed].sort() });
    return answer;
  };

  reconnect: HubPipelineModule['reconnect'] = async ({ hub, connection, resume }, next) => {
    await next();
    this.entries.add({ stage: 'reconnect', hub: hub.name, id: connection.id, resume });
  };

  disconnect: HubPipelineModule['disconnect'] = async ({ hub, connection, reason }, next) => {
    await next();
    this.entries.add({ stage: 'disconnect', hub: hub.name, id: connection.id, reason });
  };

  /** All of one stage so far. */
  of<S extends Stage>(stage: S): Extract<JournalEntry, { readonly stage: S }>[] {
    return this.entries.filter((entry): entry is Extract<JournalEntry, { readonly stage: S }> => entry.stage === stage);
  }

  /** The `nth` of one stage (from 1), as soon as it is there. */
  async nth<S extends Stage>(stage: S, nth = 1): Promise<Extract<JournalEntry, { readonly stage: S }>> {
    const found = await this.entries.find((entry) => entry.stage === stage, `${stage} number ${nth}`, { nth });
    return found as Extract<JournalEntry, { readonly stage: S }>;
  }
}
