import Executor
import PipelineIR

extension JSONWriter {
    /// Writes the fields of the last event of a run.
    mutating func put(_ summary: RunSummary) {
        key("outcome")
        string(summary.outcome.rawValue)
        if let message = summary.message {
            key("message")
            string(message)
        }
        key("duration_ns")
        integer(summary.nanoseconds)
        key("counts")
        beginObject()
        let results: [StepEnd.Result] = [
            .succeeded, .failed, .cached, .skipped, .blocked, .cancelled, .lost,
        ]
        for result in results {
            key(result.rawValue)
            integer(summary.counts[result] ?? 0)
        }
        endObject()
        key("artifacts")
        beginArray()
        for artifact in summary.artifacts {
            beginObject()
            key("name")
            string(artifact.name)
            key("path")
            string(artifact.path)
            endObject()
        }
        endArray()
        key("tests")
        beginObject()
        key("total")
        integer(summary.tests.total)
        key("failed")
        integer(summary.tests.failed)
        key("skipped")
        integer(summary.tests.skipped)
        endObject()
        key("failed_tests")
        strings(summary.failedTests)
    }

    /// Writes an array of strings.
    mutating func strings(_ texts: [String]) {
        beginArray()
        for text in texts { string(text) }
        endArray()
    }
}
