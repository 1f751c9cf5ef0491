import type { HubPipelineModule } from './hub-pipeline-module.js';
import type { RejoiningGroupsContext } from './stage-contexts.js';

/**
 * Built in, and innermost: a client that comes back is in the groups that it was in. It believes what the server
 * remembers of the connection, else the sealed token that the client carries.
 *
 * Replace it to check memberships anew at every resume; without any such module nobody rejoins anything.
 *
 * @example
 * ```ts
 * import { type HubServer, RejoiningGroupsModule } from '@hubline/core';
 *
 * export function checkMemberships(server: HubServer, isMember: (user: string, group: string) => boolean): void {
 *   server.pipeline.replace(RejoiningGroupsModule, {
 *     name: 'membership',
 *     rejoiningGroups: ({ claimed, user }) => claimed.filter((group) => isMember(user.id, group)),
 *   });
 * }
 * ```
 */
export class RejoiningGroupsModule implements HubPipelineModule {
  readonly name = 'rejoining-groups';

  rejoiningGroups(context: RejoiningGroupsContext): readonly string[] {
    return context.claimed;
  }
}
