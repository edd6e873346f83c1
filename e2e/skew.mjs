/** Preloaded into a process (`--import`): its wall clock is wrong by SKEW_MS. */
const skewMs = Number(process.env.SKEW_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + skewMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + skewMs;
  }
};
