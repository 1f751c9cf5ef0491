// The little that the tests use. The published types bring all of the browser's names into every file.
declare module 'jsdom' {
  interface JsdomWindow {
    readonly document: { readonly readyState: string };
    addEventListener(event: string, listener: () => void): void;
    eval(script: string): unknown;
    close(): void;
    [name: string]: unknown;
  }

  export class JSDOM {
    constructor(
      html: string,
      options: {
        readonly url: string;
        readonly runScripts: 'outside-only';
        readonly pretendToBeVisual: boolean;
      },
    );
    readonly window: JsdomWindow;
  }
}
