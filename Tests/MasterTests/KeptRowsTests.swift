import PipelineIR
import Testing

@testable import Master

/// Rows of artifacts, of the cache for others, and what is told of pipelines.
@Suite struct KeptRowsTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    @Test func `artifacts are those that were recorded last, and go with their job`() async throws {
        let job = try await database.submit(.example()).job
        let file = Artifact(name: "b", kind: .file, digest: Digest(ofUTF8: "b"), bytes: 1 << 40)
        let folder = Artifact(name: "a", kind: .folder, digest: Digest(ofUTF8: "a"), bytes: 0)
        for artifacts in [[file], [file, folder]] {
            try await database.write { try $0.record(artifacts, of: job.id, at: milliseconds(1)) }
        }
        #expect(try await database.artifacts(of: job.number) == [folder, file])
        #expect(try await database.artifact("b", of: job.number) == file)
        #expect(try await database.artifact("../b", of: job.number) == nil)
        #expect(try await database.artifact("b", of: job.number + 1) == nil)
        _ = try await database.transition(job.id, to: .cancelled)
        #expect(try await database.forget([job.id]) == [job.id])
        #expect(try await database.artifacts(of: job.number).isEmpty)
    }

    @Test func `a name that no file can have is refused, with all of its job`() async throws {
        let job = try await database.submit(.example()).job
        for name in ["", String(repeating: "x", count: 256), "a\0b"] {
            let artifact = Artifact(
                name: name, kind: .file, digest: Digest(ofUTF8: "b"), bytes: 0)
            await #expect(throws: MasterDatabaseError.self) {
                try await database.write {
                    try $0.record([artifact], of: job.id, at: milliseconds(1))
                }
            }
        }
        #expect(try await database.artifacts(of: job.number).isEmpty)
    }

    @Test func `an entry is that of its scope, and its use is written once an hour`() async throws {
        let key = Digest(ofUTF8: "action")
        try await database.putCacheEntry([1], key, scope: "a", at: milliseconds(0))
        try await database.putCacheEntry([2], key, scope: "a", at: milliseconds(1))
        #expect(try await database.cacheEntry(key, scope: "b") == nil)
        var entry = try #require(try await database.cacheEntry(key, scope: "a"))
        #expect(entry.result == [2] && entry.used == milliseconds(1))
        try await database.noteUse(of: entry, scope: "a", at: milliseconds(3_600_000))
        #expect(try await database.cacheEntry(key, scope: "a")?.used == milliseconds(1))
        try await database.noteUse(of: entry, scope: "a", at: milliseconds(3_600_001))
        entry = try #require(try await database.cacheEntry(key, scope: "a"))
        #expect(entry.used == milliseconds(3_600_001))
    }

    @Test func `pipelines are told in pages, each with its last job and its counts`() async throws {
        var last: [String: Job] = [:]
        for name in ["b", "a", "b", "ä", "a"] {
            let job = try await database.submit(.example(name), at: milliseconds(5)).job
            last[name] = job
        }
        _ = try await database.transition(try #require(last["a"]).id, to: .cancelled)
        let all = try await database.pipelines(after: "", limit: 10)
        #expect(all.map(\.name) == ["a", "b", "ä"])
        #expect(all.map(\.last.number) == ["a", "b", "ä"].map { last[$0]?.number })
        #expect(all.first?.counts == [.pending: 1, .cancelled: 1])
        #expect(try await database.pipelines(after: "a", limit: 1).map(\.name) == ["b"])
        #expect(try await database.pipeline("b")?.counts == [.pending: 2])
        #expect(try await database.pipeline("c") == nil)
    }
}
