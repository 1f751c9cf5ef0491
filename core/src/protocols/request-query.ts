/** Members of the query that belong to the protocols: secrets, cursors and cache busters. No hub sees them. */
const protocolMembers = new Set([
  '_',
  'access_token',
  'clientprotocol',
  'connectiondata',
  'connectiontoken',
  'groupstoken',
  'id',
  'messageid',
  'negotiateversion',
  'nocache',
  'tid',
  'transport',
  'usestatefulreconnect',
]);

/** The query of a request, as the protocols read it: names ignore case, and repeated ones are joined by a comma. */
export class RequestQuery {
  private readonly values = new Map<string, string>();

  constructor(private readonly params: URLSearchParams) {
    for (const [name, value] of params) {
      const key = name.toLowerCase();
      const known = this.values.get(key);
      this.values.set(key, known === undefined ? value : `${known},${value}`);
    }
  }

  get(name: string): string | undefined {
    return this.values.get(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.values.has(name.toLowerCase());
  }

  /** What the application may see: everything but the protocols' own members. */
  visible(): URLSearchParams {
    const kept = [...this.params].filter(([name]) => !protocolMembers.has(name.toLowerCase()));
    return new URLSearchParams(kept);
  }
}
