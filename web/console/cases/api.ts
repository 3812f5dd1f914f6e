import { call as request } from "../rest";
import type { CaseAct, CaseItem, CaseView, Choices, CourseStep, SimilarCase } from "./model";

const at = (id: string) => `/cases/${encodeURIComponent(id)}`;

export const find = (q: URLSearchParams) => request<{ cases: CaseItem[]; next: string }>("GET", `/cases?${q}`);
export const view = (id: string) => request<CaseView>("GET", at(id));
export const act = (id: string, a: CaseAct) => request<CaseView>("POST", `${at(id)}/acts`, a);
export const similar = async (id: string) => (await request<{ cases: SimilarCase[] }>("GET", `${at(id)}/similar`)).cases;
export const course = async (id: string) => (await request<{ course: CourseStep[] }>("GET", `${at(id)}/course`)).course;
export const choices = () => request<Choices>("GET", "/cases/choices");
export const onDuty = async () => (await request<{ on: { staff: string; name: string }[] }>("GET", "/shifts")).on;

/** An address in words; undefined where no gazetteer answers: the coordinates stand beside it. */
export async function address(p: { lat: number; lon: number; accuracyM: number }): Promise<Record<"kk" | "ru" | "en", string> | undefined> {
  const q = new URLSearchParams({ lat: String(p.lat), lon: String(p.lon), accuracy: String(p.accuracyM) });
  return (await request<{ words: Record<"kk" | "ru" | "en", string> }>("GET", `/geo/address?${q}`).catch(() => undefined))?.words;
}

export const fileURL = (id: string, recording: string, file: string) => `/api/v1${at(id)}/files/${encodeURIComponent(recording)}/${encodeURIComponent(file)}`;

/** A name for a new line: a line that is sent twice is one. */
export function lineID(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
