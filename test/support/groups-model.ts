type Happened<Place> =
  | { readonly kind: 'join'; readonly key: string; readonly at: Place }
  | { readonly kind: 'leave'; readonly key: string }
  | {
      readonly kind: 'answer';
      readonly hub: string;
      readonly claimed: readonly string[];
      readonly answer: readonly string[];
      readonly at: Place;
    };

/**
 * Groups as they should be. It only writes down what has happened since the stages of a resume began, and goes through
 * that for each group when it is asked. A group is written as `hub/group`; a place says from where on it holds.
 */
export class GroupsModel<Place = number> {
  private base = new Map<string, Place>();
  private history: Happened<Place>[] = [];
  private rejoining = false;
  private readonly changedOnce = new Set<string>();

  /** The groups at this moment, with the places where they begin. */
  get current(): ReadonlyMap<string, Place> {
    return this.evaluate('commit');
  }

  /** What the stages that run have dropped, and what they keep in case they fail. */
  get aside(): ReadonlySet<string> {
    const current = this.current;
    return new Set([...this.base.keys()].filter((key) => !current.has(key) && this.wasDropped(key)));
  }

  has(key: string): boolean {
    return this.current.has(key);
  }

  /** Whether it is there, or would be if the stages that run failed. */
  mayBe(key: string): boolean {
    return this.has(key) || this.evaluate('rollback').has(key);
  }

  /** The groups of a hub, in no order. */
  of(hub: string): string[] {
    return [...this.current.keys()].filter((key) => hubOf(key) === hub).map((key) => groupOf(key));
  }

  join(key: string, at: Place): void {
    this.note({ kind: 'join', key, at });
  }

  leave(key: string): void {
    this.note({ kind: 'leave', key });
  }

  /** Something that was remembered elsewhere is there again, from a place that has passed. */
  restore(key: string, at: Place): void {
    this.base.set(key, at);
  }

  begin(): void {
    this.rejoining = true;
  }

  answer(hub: string, claimed: readonly string[], answer: readonly string[], at: Place): void {
    this.note({ kind: 'answer', hub, claimed, answer, at });
  }

  end(how: 'commit' | 'rollback'): void {
    this.base = this.evaluate(how);
    this.history = [];
    this.rejoining = false;
  }

  /** Whether anybody has ever joined or left it here. */
  wasChanged(key: string): boolean {
    return this.changedOnce.has(key);
  }

  private note(happened: Happened<Place>): void {
    this.history.push(happened);
    if (happened.kind !== 'answer') this.changedOnce.add(happened.key);
    if (!this.rejoining) this.end('commit');
  }

  private evaluate(how: 'commit' | 'rollback'): Map<string, Place> {
    const keys = new Set(this.base.keys());
    for (const one of this.history)
      for (const key of one.kind === 'answer' ? one.answer.map((group) => `${one.hub}/${group}`) : [one.key])
        keys.add(key);
    const groups = new Map<string, Place>();
    for (const key of keys) {
      const since = this.sinceOf(key, how);
      if (since !== undefined) groups.set(key, since);
    }
    return groups;
  }

  private sinceOf(key: string, how: 'commit' | 'rollback'): Place | undefined {
    let since = this.base.get(key);
    let touched = false;
    for (const one of this.history) {
      if (one.kind === 'answer') {
        if (touched || one.hub !== hubOf(key)) continue;
        const isIn = one.answer.includes(groupOf(key));
        if (since !== undefined && one.claimed.includes(groupOf(key)) && !isIn) since = undefined;
        else if (isIn) since ??= one.at;
      } else if (one.key === key) {
        touched = true;
        since = one.kind === 'leave' ? undefined : (since ?? one.at);
      }
    }
    return how === 'rollback' && !touched ? this.base.get(key) : since;
  }

  private wasDropped(key: string): boolean {
    let touched = false;
    for (const one of this.history) {
      if (one.kind !== 'answer') touched ||= one.key === key;
      else if (!touched && one.hub === hubOf(key) && one.claimed.includes(groupOf(key)))
        return !one.answer.includes(groupOf(key));
    }
    return false;
  }
}

const hubOf = (key: string): string => key.slice(0, key.indexOf('/'));
const groupOf = (key: string): string => key.slice(key.indexOf('/') + 1);
