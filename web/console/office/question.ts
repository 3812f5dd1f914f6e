import { daysBetween, type Span, type SpanID } from "./figures";

/** What a question is restricted to, as the address has it. */
export interface Asked { span: SpanID; lane: "" | "call" | "report"; days: Span }

/** The question of a part of the page. */
export function queryOf(asked: Asked, by: string, days: Span = asked.days): URLSearchParams {
  const q = new URLSearchParams({ first: days.first, last: days.last, by });
  if (asked.lane) q.set("lane", asked.lane);
  return q;
}

/** A quarter and less is seen by day, more by month. */
export function seriesBy(days: Span): "day" | "month" {
  return daysBetween(days.first, days.last) <= 92 ? "day" : "month";
}
