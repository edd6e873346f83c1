/** How reads of PostgreSQL fail here: tables that nobody has made yet hold no rows. */
import { unavailable } from "@fanfare/common/errors";

/** undefined_table, invalid_schema_name: the writer that owns them has not started yet. */
const NOT_MADE_YET = ["42P01", "3F000"];

/**
 * Runs a read; `none` where its tables are not there yet. That PostgreSQL is out of reach becomes
 * UNAVAILABLE, a fault of ours stays what it is.
 */
export async function fromPostgres<T>(none: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (NOT_MADE_YET.includes(code)) return none;
    // Class 42 is a statement that is wrong; 22 and 23 are wrong values.
    if (/^(42|22|23)/.test(code)) throw error;
    throw unavailable("PostgreSQL", error);
  }
}
