internal import Logging
internal import PipelineIR

internal import struct Executor.JobID

/// Hands a job the secrets that it may have.
struct JobSecrets: Sendable {
    /// Why a job is not given its secrets.
    struct TooLarge: Error, CustomStringConvertible {
        let bytes: Int

        var description: String {
            "the secrets that the job may have take \(bytes) bytes; \(mostBytes) are allowed"
        }
    }

    let store: SecretStore
    let logger: Logger

    /// What an engine reads of its standard input.
    static let mostBytes = 4 << 20

    /// An object without members.
    static var none: SecretValue {
        var bytes = Array("{}".utf8)
        return SecretValue(taking: &bytes)
    }

    /// An object of JSON with the values by their names. Each of them is in the audit log before.
    ///
    /// - Parameter branch: that the commit is one of, as the repository says.
    func object(for job: Job, branch: String?) async throws -> SecretValue {
        let (values, unreadable) = try await store.readAll(
            for: Self.context(of: job.request, branch: branch), reader: "job \(job.id.text)")
        for error in unreadable {
            // A job that needs it says that it is missing; the others need not fail.
            logger.error("\(error.message)", metadata: ["job": "\(job.id.text)"])
        }
        var json = JSONWriter()
        json.beginObject()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            json.key(name)
            value.withBytes { json.string(String(decoding: $0, as: UTF8.self)) }
        }
        json.endObject()
        guard json.bytes.count <= Self.mostBytes else { throw TooLarge(bytes: json.bytes.count) }
        return json.bytes.withUnsafeBytes { SecretValue(copying: $0) }
    }

    /// What decides which secrets a job gets.
    static func context(of request: NewJob, branch: String?) -> SecretContext {
        SecretContext(
            team: request.team, pipeline: request.pipeline, branch: branch,
            event: request.trigger, isFork: mayBeFork(request))
    }

    /// Whether the commit may come from a fork: nobody but the forge knows, and it has not said so.
    private static func mayBeFork(_ request: NewJob) -> Bool {
        if request.trigger.hasPrefix("pull_request") { return true }
        let places = ["refs/pull/", "refs/merge-requests/", "refs/changes/", "pull/"]
        return places.contains { request.ref?.hasPrefix($0) ?? false }
    }
}
