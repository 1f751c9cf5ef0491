import type { HubPipelineModule, RejoiningGroupsContext } from '@hubline/core';
import type { ChatStore } from './chat-store.js';

/**
 * Takes the place of `RejoiningGroupsModule`, which believes what the connection claims. This one asks the database at
 * each reconnect: a person is back in the rooms that they are a member of now.
 */
export class StoreMembershipModule implements HubPipelineModule {
  readonly name = 'store-membership';

  constructor(private readonly store: ChatStore) {}

  rejoiningGroups(context: RejoiningGroupsContext): readonly string[] {
    const rooms = this.store.roomsOf(context.user.id);
    for (const claimed of context.claimed)
      if (!rooms.includes(claimed)) context.refuse(claimed, 'the database says that you are not a member any more');
    // All of them, also those that were joined elsewhere meanwhile and are not claimed.
    return rooms;
  }
}
