// Types of hexgate.js.

export declare const RUNTIME_VERSION: string;
export declare const ABI_VERSION: bigint;
export declare const UNSUPPORTED: unique symbol;

/** A number that is a double even where it has no fraction. A plain number that is a safe integer is an int. */
export declare class Double {
  constructor(value: number);
  readonly value: number;
}
/** An unsigned integer. */
export declare class UInt {
  constructor(value: bigint);
  readonly value: bigint;
}
/** An instant, in nanoseconds since the epoch. */
export declare class Timestamp {
  constructor(nanoseconds: bigint);
  readonly nanoseconds: bigint;
}
/** A span of time, in nanoseconds. */
export declare class Duration {
  constructor(nanoseconds: bigint);
  readonly nanoseconds: bigint;
}

/** What `parseJson` makes of JSON: objects are Maps, integers bigints, doubles without a fraction Doubles. */
export type Json = null | boolean | bigint | number | Double | string | Json[] | Map<string, Json>;

export declare class JsonError extends Error {}
export declare class TableError extends Error {}
export declare class ModuleError extends Error {}
export declare class KeyError extends Error {}
export declare class BundleRefusedError extends Error {
  /** The word of the first check that failed (docs/bundle.md B4). */
  readonly refusal: string;
}

export declare function parseJson(source: string | Uint8Array, depth?: number, signs?: number): Json;
export declare function parsePublicKey(text: string): Uint8Array;
export declare function parseTrust(text: string): Trust;

/** Made by `parseTrust`; no other object is taken. */
export interface Trust {
  readonly threshold: number;
  readonly keys: readonly Uint8Array[];
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}
export interface Constraint {
  readonly text: string;
  readonly place: Place;
}
export interface Rule {
  readonly role: string | null;
  readonly tool: string;
  readonly number: number;
  readonly mode: Verdict;
  readonly place: Place;
  readonly constraints: readonly Constraint[];
  readonly message: string | null;
  readonly approvers: readonly string[];
  readonly expires_in: number | null;
}
export type Verdict = "allow" | "approval_required" | "deny";

/** schemas/decision.schema.json, frozen. */
export interface Decision {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly role: string | null;
  readonly tool: string | null;
  readonly rule: Rule | null;
  readonly constraint: Constraint | null;
  readonly fault: string | null;
  readonly message: string | null;
  readonly bundle: {readonly name: string; readonly version: number; readonly digest: string} | null;
}

export interface User {
  userId: string;
  role: string;
  attrs?: object | null;
}
export interface Request {
  user?: User | null;
  ctx?: object | null;
  resource?: object | null;
  /** What constraints read as `now`: a Date, or nanoseconds since the epoch. The clock's time by default. */
  now?: Date | bigint | null;
}

/** What was accepted last: to be kept by the host, and handed over the next time. */
export interface Floor {
  readonly version: number;
  readonly digest: string;
  readonly seen: number;
}

/** A module that the host has verified by itself. */
export declare class Engine {
  static load(
    wasm: Uint8Array,
    table: Uint8Array,
    options?: {bundle?: Decision["bundle"]; clock?: () => bigint},
  ): Promise<Engine>;
  decide(tool: string, args: unknown, request?: Request | null): Decision;
}

/** A verified bundle. */
export declare class Bundle {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly requireToken: boolean;
  readonly audit: {readonly mode: string; readonly mask: readonly string[]; readonly hash: readonly string[]};
  readonly floor: Floor;
  /** Never throws for anything in the call. Members are read from the objects themselves, not from getters or prototypes. */
  decide(tool: string, args: unknown, request?: Request | null): Decision;
}

export declare function loadBundle(
  data: Uint8Array,
  options: {
    /** `[threshold/]ed25519:…[,ed25519:…]`, or what `parseTrust` returns. */
    trust: string | Trust;
    /** The name that the bundle must be signed under. */
    name: string;
    /** Seconds since the epoch; the clock's time by default. */
    now?: number | bigint | null;
    floor?: Floor | null;
    /** Nanoseconds since the epoch. */
    clock?: () => bigint;
  },
): Promise<Bundle>;
