/** Each tab is a page of its own: who is signed in, and what is cut, is kept by this id. */
export const pageId: string = sessionStorage.getItem('page') ?? crypto.randomUUID?.() ?? fallback();
sessionStorage.setItem('page', pageId);

/** `randomUUID` is missing where the page is not served from a secure origin, such as a phone's. */
function fallback(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
