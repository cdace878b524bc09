import Testing

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
