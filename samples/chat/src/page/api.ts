import { uncutFetch } from './network.js';
import { pageId } from './page-id.js';

/** Asks the server outside of the hub. Throws an error in words for the person in front of the page. */
export async function ask<Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<Answer> {
  let response: Response;
  try {
    response = await uncutFetch(`/api/${path}?page=${pageId}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  } catch (cause) {
    throw new Error('The server does not answer. Is it running?', { cause });
  }
  const answer = (await response.json()) as Answer & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? 'That did not work.');
  return answer;
}
