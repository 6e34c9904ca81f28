// The arithmetic of Jobs and CronJobs: indexes, pauses, runs that are due, history.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCronSchedule } from "@gatehouse/apimachinery/cron-schedule";
import type { CronJob, Job } from "@gatehouse/apimachinery/types/batch-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { dueRun, surplusJobs } from "./cron-job-plan.ts";
import { formatIndexes, parseIndexes } from "./index-ranges.ts";
import { judgePod, pauseAfterFailures, restartsExceed } from "./job-failure.ts";
import { testPod } from "./testing-objects.ts";

describe("completion indexes", () => {
  it("are written as ranges and read back", () => {
    const cases: [number[], string][] = [
      [[], ""],
      [[3], "3"],
      [[1, 0], "0,1"],
      [[0, 1, 2, 5, 7, 8, 9], "0-2,5,7-9"],
    ];
    for (const [indexes, text] of cases) {
      assert.equal(formatIndexes(indexes), text);
      assert.deepEqual(
        [...parseIndexes(text)],
        indexes.toSorted((a, b) => a - b),
      );
    }
    assert.deepEqual([...parseIndexes("x,2,")], [2]);
  });
});

describe("a Job's failures", () => {
  const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const ended = (second: number, exitCode: number): Pod => {
    const terminated = { exitCode, reason: "x", finishedAt: at(second) };
    const container = { name: "main", image: "x", imageID: "", ready: false, restartCount: 0 };
    const phase = exitCode === 0 ? ("Succeeded" as const) : ("Failed" as const);
    return testPod(`p-${second}`, { status: { phase, containerStatuses: [{ ...container, state: { terminated } }] } });
  };
  const now = Date.parse(at(100));

  it("are waited for ever longer, until one succeeds", () => {
    assert.equal(pauseAfterFailures([], now), 0);
    assert.equal(pauseAfterFailures([ended(95, 1)], now), 5_000);
    assert.equal(pauseAfterFailures([ended(80, 1), ended(95, 1)], now), 15_000);
    assert.equal(pauseAfterFailures([ended(95, 1), ended(96, 0)], now), 0);
    assert.equal(pauseAfterFailures([ended(80, 1), ended(85, 0), ended(95, 1)], now), 5_000);
    const many = Array.from({ length: 20 }, (_, index) => ended(80 + index, 1));
    assert.equal(pauseAfterFailures(many, now), 599_000);
  });

  const job = (spec: Partial<Job["spec"]>): Job => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "demo" },
    spec: { template: { spec: { containers: [], restartPolicy: "OnFailure" } }, ...spec },
  });

  it("count restarts in place only where pods are restarted", () => {
    const pod = testPod("p", {
      status: { containerStatuses: [{ name: "c", image: "x", imageID: "", ready: true, restartCount: 2 }] },
    });
    assert.equal(restartsExceed(job({ backoffLimit: 2 }), [pod]), true);
    assert.equal(restartsExceed(job({ backoffLimit: 3 }), [pod]), false);
    assert.equal(restartsExceed(job({ backoffLimit: 0 }), []), false);
    const never = { template: { spec: { containers: [], restartPolicy: "Never" as const } } };
    assert.equal(restartsExceed(job({ backoffLimit: 0, ...never }), [pod]), false);
  });

  it("are judged by the first rule that matches", () => {
    const rules: NonNullable<Job["spec"]["podFailurePolicy"]>["rules"] = [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
      { action: "Count", onExitCodes: { operator: "NotIn", values: [42] } },
      { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    ];
    const judged = job({ podFailurePolicy: { rules } });
    assert.equal(judgePod(judged, ended(1, 1)).action, "Count");
    assert.equal(judgePod(judged, ended(1, 42)).action, "FailJob");
    const disrupted = testPod("d", { status: { conditions: [{ type: "DisruptionTarget", status: "True" }] } });
    assert.equal(judgePod(judged, disrupted).action, "Ignore");
    assert.equal(judgePod(job({}), ended(1, 42)).action, "Count");
  });
});

describe("a CronJob's runs", () => {
  const cronJob = (spec: Partial<CronJob["spec"]>, lastScheduleTime?: string): CronJob => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "c", namespace: "demo", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { schedule: "x", jobTemplate: { spec: { template: { spec: { containers: [] } } } }, ...spec },
    ...(lastScheduleTime ? { status: { lastScheduleTime } } : {}),
  });
  const due = (
    schedule: string,
    now: string,
    spec: Partial<CronJob["spec"]> = {},
    last?: string,
  ): string | undefined => {
    const parsed = parseCronSchedule(schedule, "UTC");
    assert.ok(typeof parsed !== "string");
    return dueRun(cronJob(spec, last), parsed, new Date(now))?.toISOString();
  };

  it("are due once, and of those that were missed only the last", () => {
    assert.equal(due("0 * * * *", "2026-01-01T00:59:59Z"), undefined);
    assert.equal(due("0 * * * *", "2026-01-01T01:00:00Z"), "2026-01-01T01:00:00.000Z");
    assert.equal(due("0 * * * *", "2026-01-01T01:30:00Z", {}, "2026-01-01T01:00:00Z"), undefined);
    assert.equal(due("* * * * *", "2026-06-01T12:00:30Z"), "2026-06-01T12:00:00.000Z");
    assert.equal(due("0 0 1 * *", "2026-06-20T12:00:00Z"), "2026-06-01T00:00:00.000Z");
  });

  it("are left out when they are too late", () => {
    const spec = { startingDeadlineSeconds: 60 };
    assert.equal(due("0 * * * *", "2026-01-01T01:01:00Z", spec), "2026-01-01T01:00:00.000Z");
    assert.equal(due("0 * * * *", "2026-01-01T01:01:01Z", spec), undefined);
  });

  it("are kept as history, the newest of each outcome", () => {
    const finished = (name: string, type: "Complete" | "Failed", day: number): Job => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace: "demo" },
      spec: { template: { spec: { containers: [] } } },
      status: { startTime: `2026-01-0${day}T00:00:00Z`, conditions: [{ type, status: "True" }] },
    });
    const jobs = [
      finished("new", "Complete", 3),
      finished("old", "Complete", 1),
      finished("bad", "Failed", 2),
      { ...finished("running", "Complete", 1), status: {} },
    ];
    const spec = { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 };
    assert.deepEqual(
      surplusJobs(cronJob(spec), jobs).map(({ metadata }) => metadata.name),
      ["old", "bad"],
    );
  });
});
