/** What the server calls on a page, and what it answers. The page imports these types. */

/** Something that was said or that happened in a room. */
export interface RoomMessage {
  readonly id: string;
  readonly room: string;
  readonly from: string;
  readonly kind: 'said' | 'joined' | 'left';
  /** Empty unless it was said. */
  readonly text: string;
  /** When, in milliseconds since 1970, by the server's clock. */
  readonly at: number;
}

/** A room, as one person sees it. */
export interface Room {
  readonly name: string;
  readonly topic: string;
  readonly member: boolean;
}

/** A module that an event passed. */
export interface PassedModule {
  readonly name: string;
  readonly builtIn: boolean;
}

/** What the module that watches the pipeline tells of one event. */
export interface PipelineEvent {
  readonly stage: 'authorizeConnect' | 'connect' | 'rejoiningGroups' | 'reconnect' | 'invoke' | 'send' | 'disconnect';
  /** The modules that the event passed, outermost first. */
  readonly modules: readonly PassedModule[];
  /** What stands behind the last module; empty where a module has the last word. */
  readonly innermost: string;
  readonly at: number;
  readonly tookMs: number;
  /** Why it was refused; `undefined` if it passed. */
  readonly refusal?: string | undefined;
  /** The sends that the event began. */
  readonly sends: readonly { readonly what: string; readonly modules: readonly PassedModule[] }[];
  /** With `rejoiningGroups`: the groups that the connection claims, and those that it was given. */
  readonly groups?: { readonly claimed: readonly string[]; readonly given: readonly string[] } | undefined;
  /** With `reconnect`. */
  readonly resume?: ResumeReport | undefined;
  /** With `disconnect`. */
  readonly reason?: string | undefined;
}

/** What a resume brought back. */
export interface ResumeReport {
  /** Whether everything that was missed is there to be replayed. */
  readonly complete: boolean;
  /** Whether the server had forgotten the connection, and believed its tokens. */
  readonly newLife: boolean;
  readonly downForMs: number | undefined;
  readonly groups: readonly string[];
  readonly refused: readonly { readonly group: string; readonly reason: string }[];
}

/** What the server calls on its clients. */
export interface ChatClient {
  message(message: RoomMessage): void;
  /** The person is in a room, joined from this page or elsewhere. */
  entered(room: string): void;
  /** The person is not in a room any more. */
  exited(room: string, by: 'you' | 'administrator'): void;
  /** Events of the pipeline that concern this page, oldest first. */
  pipeline(events: readonly PipelineEvent[]): void;
}

/** A person, as the administrator sees them. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly rooms: readonly string[];
  readonly connections: readonly { readonly id: string; readonly protocol: string; readonly state: string }[];
}
