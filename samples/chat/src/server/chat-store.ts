import Database from 'better-sqlite3';

/** Somebody who has signed in once. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS rooms (name TEXT PRIMARY KEY, topic TEXT NOT NULL, place INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS memberships (
    user TEXT NOT NULL REFERENCES users (id),
    room TEXT NOT NULL REFERENCES rooms (name),
    PRIMARY KEY (user, room)
  ) WITHOUT ROWID;
`;

const firstRooms = [
  ['lobby', 'Everybody begins here'],
  ['engineering', 'What is being built, and what broke'],
  ['design', 'Drafts, type and colour'],
  ['operations', 'Deployments and alarms'],
  ['kitchen', 'Coffee, and who finished it'],
] as const;

/** Users, rooms and memberships, in a SQLite file. */
export class ChatStore {
  private readonly database: Database.Database;

  constructor(file: string) {
    this.database = new Database(file);
    this.database.pragma('foreign_keys = ON');
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = NORMAL');
    this.database.exec(schema);
    this.seed();
  }

  /** Whether somebody is known by this id. */
  find(user: string): Person | undefined {
    return this.get<Person>('SELECT id, name FROM users WHERE id = ?', user);
  }

  people(): readonly Person[] {
    return this.list<Person>('SELECT id, name FROM users ORDER BY id');
  }

  /** Finds somebody by name, or makes them known: who is new is in the lobby. */
  welcome(name: string): Person {
    const id = name.toLowerCase();
    const known = this.find(id);
    if (known !== undefined) return known;
    this.run('INSERT INTO users (id, name) VALUES (?, ?)', id, name);
    this.join(id, firstRooms[0][0]);
    return { id, name };
  }

  rooms(): readonly { readonly name: string; readonly topic: string }[] {
    return this.list('SELECT name, topic FROM rooms ORDER BY place');
  }

  hasRoom(room: string): boolean {
    return this.get('SELECT 1 FROM rooms WHERE name = ?', room) !== undefined;
  }

  roomsOf(user: string): readonly string[] {
    const rooms = this.list<{ room: string }>(
      'SELECT room FROM memberships JOIN rooms ON room = name WHERE user = ? ORDER BY place',
      user,
    );
    return rooms.map(({ room }) => room);
  }

  isMember(user: string, room: string): boolean {
    return this.get('SELECT 1 FROM memberships WHERE user = ? AND room = ?', user, room) !== undefined;
  }

  /** Answers whether that is new. */
  join(user: string, room: string): boolean {
    return this.run('INSERT OR IGNORE INTO memberships (user, room) VALUES (?, ?)', user, room);
  }

  /** Answers whether they were in the room. */
  leave(user: string, room: string): boolean {
    return this.run('DELETE FROM memberships WHERE user = ? AND room = ?', user, room);
  }

  close(): void {
    this.database.close();
  }

  private seed(): void {
    if (this.rooms().length > 0) return;
    const insert = this.database.prepare('INSERT INTO rooms (name, topic, place) VALUES (?, ?, ?)');
    this.database.transaction(() => firstRooms.forEach(([name, topic], place) => insert.run(name, topic, place)))();
  }

  private get<Row>(sql: string, ...values: readonly string[]): Row | undefined {
    return this.database.prepare<unknown[], Row>(sql).get(...values);
  }

  private list<Row>(sql: string, ...values: readonly string[]): readonly Row[] {
    return this.database.prepare<unknown[], Row>(sql).all(...values);
  }

  private run(sql: string, ...values: readonly string[]): boolean {
    return this.database.prepare(sql).run(...values).changes > 0;
  }
}
