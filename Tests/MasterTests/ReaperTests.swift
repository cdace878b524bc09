import Glibc
import PipelineIR
import Testing

import struct Executor.JobID
import struct Executor.Timestamp

@testable import Master

@Suite struct ReaperTests {
    @Test func `a time of day is due once, also when it was missed`() throws {
        let time = TimeOfDay(hour: 3, minute: 30)
        let now = Timestamp.now()
        let slot = try #require(DailyTime.latest(time, before: now))
        let day: Int64 = 86_400_000_000
        #expect(slot <= now)
        #expect(now.microseconds - slot.microseconds <= day + 2 * 3_600_000_000)
        func isDue(last: Int64, now: Int64) -> Bool {
            DailyTime.isDue(
                time, last: Timestamp(microseconds: slot.microseconds + last),
                now: Timestamp(microseconds: slot.microseconds + now))
        }
        #expect(isDue(last: -1, now: 0))
        #expect(!isDue(last: 0, now: 1))
        #expect(!isDue(last: -1, now: -1))
        #expect(isDue(last: -10 * day, now: 5))
        // A clock that was a year ahead does not keep it from being done.
        #expect(isDue(last: 365 * day, now: 5))
    }

    @Test func `digests are found in whatever a client says`() {
        let one = Digest(ofUTF8: "1")
        let two = Digest(ofUTF8: "2")
        let text = "x@\(one.hex)\u{10}…\(two.hex)"
        #expect(DigestsInText.find(text.utf8) == [one, two])
        // Longer and shorter ones are something else.
        #expect(DigestsInText.find("\(one.hex)0".utf8).isEmpty)
        #expect(DigestsInText.find(one.hex.dropLast().utf8).isEmpty)
        #expect(DigestsInText.find(one.hex.uppercased().utf8).isEmpty)
    }

    @Test func `trees of an action's result are found, and what is malformed ends it`() {
        let tree = Digest(ofUTF8: "tree")
        let digest = [0x0a, 0x40] + Array(tree.hex.utf8)
        let folder = [0x1a, UInt8(digest.count)] + digest
        let result = [0x20, 0x05, 0x1a, UInt8(folder.count)] + folder
        #expect(DigestsInText.trees(result) == [tree])
        for count in 0..<result.count {
            _ = DigestsInText.trees(Array(result.prefix(count)))
        }
        #expect(
            DigestsInText.trees([0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]) == [])
        #expect(DigestsInText.trees([0x1b, 0x1c, 0x07]) == [])
    }

    @Test func `what is removed is doomed until its files are gone`() async throws {
        let scratch = try DatabaseScratch()
        let database = try scratch.open()
        defer { database.close() }
        let running = try await database.submit(.example()).job.id
        let ended = try await database.submit(.example()).job.id
        _ = try await database.transition(ended, to: .cancelled)
        let gone = try await database.write {
            try $0.remove(.logs, of: [running, ended], reason: "age", at: .now())
        }
        #expect(gone == [ended])
        #expect(try await database.job(ended)?.logsRemoved != nil)
        #expect(try await database.job(running)?.logsRemoved == nil)
        let logs = DoomedFiles(job: ended, kind: .logs)
        #expect(try await database.doomedFiles(most: 10) == [logs])
        // Its whole folder stands for what was doomed of it before.
        _ = try await database.write {
            try $0.remove(.jobs, of: [running, ended], reason: "age", at: .now())
        }
        let all = DoomedFiles(job: ended, kind: .jobs)
        #expect(try await database.doomedFiles(most: 10) == [all])
        #expect(try await database.forgotten(ended) != nil)
        #expect(try await database.forgotten(running) == nil)
        try await database.removed([all])
        #expect(try await database.doomedFiles(most: 10).isEmpty)
        #expect(try await database.check().isEmpty)
        let entries = try await database.auditEntries()
        #expect(entries.map(\.action) == ["reap.jobs", "reap.logs"])
        #expect(entries.allSatisfy { $0.detail.contains(ended.text) && $0.actor == "reaper" })
    }

    @Test func `files of a job are removed by kind, and nothing beside them`() throws {
        let scratch = try DatabaseScratch()
        let id = try #require(JobID("6g4vh8w5j"))
        let folder = "\(scratch.path)/jobs/\(id)"
        for path in ["jobs", "jobs/\(id)", "jobs/\(id)/artifacts", "jobs/\(id)/scratch"] {
            mkdir("\(scratch.path)/\(path)", 0o700)
        }
        try scratch.write("outside", [1])
        for name in ["log", "journal", "artifacts/a", "scratch/x"] {
            try scratch.write("jobs/\(id)/\(name)", [1])
        }
        #expect(symlink("../../outside", "\(folder)/scratch/link") == 0)
        let removal = JobFolderRemoval(data: scratch.path)
        #expect(removal.remove(DoomedFiles(job: id, kind: .logs)))
        #expect(access("\(folder)/log", F_OK) != 0 && access("\(folder)/artifacts/a", F_OK) == 0)
        #expect(removal.remove(DoomedFiles(job: id, kind: .artifacts)))
        // Again, and where there is nothing, is the same.
        for kind in [DoomedFiles.Kind.logs, .artifacts, .jobs] {
            #expect(removal.remove(DoomedFiles(job: id, kind: kind)))
        }
        #expect(access(folder, F_OK) != 0)
        #expect(scratch.names() == ["jobs", "outside"])
    }
}
