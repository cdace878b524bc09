import Testing

import struct Executor.JobID
import struct Executor.Timestamp

@testable import Master

@Suite struct MetricsTests {
    @Test func `jobs are counted by pipeline, end and how long they ran`() {
        let metrics = JobMetrics()
        metrics.count("p", .success, milliseconds: 100)
        metrics.count("p", .success, milliseconds: 101)
        metrics.count("a\"\\\n", .failure, milliseconds: 1 << 40)
        var text = MetricsText()
        metrics.write(to: &text)
        let lines = text.text.split(separator: "\n").map(String.init)
        #expect(lines.contains(#"danube_jobs_total{status="success",pipeline="p"} 2"#))
        #expect(lines.contains(#"danube_jobs_total{status="failure",pipeline="a\"\\\n"} 1"#))
        #expect(lines.contains(#"danube_job_duration_seconds_bucket{le="0.1"} 1"#))
        #expect(lines.contains(#"danube_job_duration_seconds_bucket{le="0.5"} 2"#))
        #expect(lines.contains(#"danube_job_duration_seconds_bucket{le="7200.0"} 2"#))
        #expect(lines.contains(#"danube_job_duration_seconds_bucket{le="+Inf"} 3"#))
        #expect(lines.contains("danube_job_duration_seconds_count 3"))
    }

    @Test func `more pipelines than may be counted are one`() {
        let metrics = JobMetrics()
        for number in 0..<(JobMetrics.mostPipelines + 5) {
            metrics.count("p\(number)", .success, milliseconds: 1)
        }
        var text = MetricsText()
        metrics.write(to: &text)
        let other = #"danube_jobs_total{status="success",pipeline="(other)"} 5"#
        #expect(text.text.contains(other))
        #expect(
            text.text.split(separator: "\n").filter { $0.hasPrefix("danube_jobs_total{") }.count
                == JobMetrics.mostPipelines + 1)
    }

    @Test func `figures go on where the master before this one ended, forgotten jobs too`()
        async throws
    {
        let scratch = try DatabaseScratch()
        let database = try scratch.open()
        defer { database.close() }
        let live = JobMetrics()
        var ids: [JobID] = []
        for number in 0..<20 {
            let id = try await database.submit(.example(number % 3 == 0 ? "p" : "q\"\n")).job.id
            let start = Timestamp.now()
            let end = Timestamp(microseconds: start.microseconds + Int64(number) * 777_000)
            _ = try await database.transition(id, to: .scheduling, at: start)
            if number != 7 { _ = try await database.transition(id, to: .running, at: start) }
            _ = try await database.transition(
                id, to: number % 2 == 0 ? .success : .failure, at: end)
            if number != 7 { ids.append(id) }
            live.count(try #require(try await database.job(id)))
        }
        _ = try await database.submit(.example()).job
        func figures(_ metrics: JobMetrics) -> String {
            var text = MetricsText()
            metrics.write(to: &text)
            return text.text
        }
        func rebuilt() async throws -> String {
            let metrics = JobMetrics()
            metrics.begin(with: try await database.endedJobs())
            return figures(metrics)
        }
        #expect(try await rebuilt() == figures(live))
        let forgotten = ids[3..<15].map { $0 }
        _ = try await database.write {
            try $0.remove(.jobs, of: forgotten, reason: "age", at: .now())
        }
        #expect(try await database.jobCounts().values.reduce(0, +) == 9)
        #expect(try await rebuilt() == figures(live))
    }

    @Test func `a start keeps the names of pipelines with most jobs`() {
        let metrics = JobMetrics()
        metrics.begin(
            with: (0..<JobMetrics.mostPipelines + 10).map { number in
                JobCount(
                    pipeline: "p\(number)", state: .success, bucket: 99, jobs: number + 1,
                    milliseconds: 1)
            })
        var text = MetricsText()
        metrics.write(to: &text)
        #expect(text.text.contains(#"{status="success",pipeline="(other)"} 55"#))
        #expect(!text.text.contains(#"pipeline="p9""#) && text.text.contains(#"pipeline="p10""#))
        #expect(text.text.contains(#"_bucket{le="7200.0"} 0"#))
    }

    @Test(
        arguments: [
            ("gzip", true), ("gzip, br", true), ("br;q=1, gzip;q=0.2", true), ("*", true),
            ("GZIP", true), ("gzip;q=0", false), ("gzip; q=0.000", false), ("*;q=0", false),
            ("gzip;q=0, *", false), ("identity", false), ("", false), (nil, false), (",,;", false),
            ("gzipped", false),
        ] as [(String?, Bool)])
    func `what a client takes`(header: String?, takes: Bool) {
        #expect(AcceptedEncoding.takesGzip(header) == takes)
    }

    @Test func `a tag is found in a list, weak or not`() {
        #expect(EntityTags.holds("\"a\"", "\"a\""))
        #expect(EntityTags.holds("\"b\" , W/\"a\"", "\"a\""))
        #expect(EntityTags.holds("*", "\"a\""))
        #expect(!EntityTags.holds("\"b\"", "\"a\""))
        #expect(!EntityTags.holds("a", "\"a\""))
        #expect(!EntityTags.holds(nil, "\"a\""))
    }
}
