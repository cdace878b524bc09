import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct CacheResultTests {
    private let scratch: CacheScratch
    private let cache: ActionCache

    init() throws {
        scratch = try CacheScratch()
        cache = try ActionCache(scratch.path + "/cache")
    }

    /// Keeps a result with one output of a size, and gives its key.
    @discardableResult
    private func keep(
        _ name: String, size: Int = 10, in cache: ActionCache? = nil, log: String? = nil
    ) throws -> ActionKey {
        let cache = cache ?? self.cache
        let result = try result(name, size: size, in: cache, log: log)
        try cache.enqueue(result, manifest: manifest(name).encoded())
        return result.key
    }

    private func manifest(_ name: String) throws -> Manifest {
        try Manifest(
            Action(
                command: .script(Template(name)), machine: .host("h"), platform: "linux/amd64",
                inputs: .empty))
    }

    private func result(
        _ name: String, size: Int = 10, in cache: ActionCache, log: String? = nil
    ) throws -> ActionResult {
        var content = Array(name.utf8)
        content += [UInt8](repeating: 0, count: max(0, size - content.count))
        let blob = try cache.store.insert(content)
        let outputs = FileTree(sorted: [
            FileTree.Entry(
                path: TreePath(unchecked: Array("out/\(name)".utf8)),
                node: .file(blob.digest, size: blob.size, isExecutable: false)),
            FileTree.Entry(path: TreePath(unchecked: [0x7A]), node: .folder),
        ])
        return ActionResult(
            key: try manifest(name).key, outputs: outputs,
            log: try log.map { try cache.store.insert(Array($0.utf8)) }, captured: "captured\0é",
            durationMilliseconds: 12, job: "job-1", step: "step \(name)", created: 1_700_000_000)
    }

    @Test func `a result is found at once, and by others after it was written`() throws {
        let expected = try result("a", in: cache, log: "log")
        try cache.enqueue(expected, manifest: manifest("a").encoded())
        #expect(try cache.lookup(expected.key) == expected)
        let other = try ActionCache(scratch.path + "/cache")
        #expect(try other.lookup(expected.key) == nil)
        try cache.flush()
        #expect(try other.lookup(expected.key) == expected)
        #expect(try other.manifest(of: expected.key) == manifest("a"))
        #expect(try other.lookup(ActionKey(Digest(of: []))) == nil)
        #expect(try other.manifest(of: ActionKey(Digest(of: []))) == nil)
    }

    @Test func `a result that lacks a blob, or has a torn one, is a miss`() throws {
        let key = try keep("a")
        let torn = try keep("b")
        try cache.flush()
        for (key, isTorn) in [(key, false), (torn, true)] {
            let result = try #require(try cache.lookup(key))
            let path = cache.store.path(of: result.blobs[0].digest)
            if isTorn {
                try #require(chmod(path, 0o600) == 0 && truncate(path, 3) == 0)
            } else {
                try #require(unlink(path) == 0)
            }
            #expect(try cache.lookup(key) == nil)
            #expect(try cache.find(key) != nil)
        }
        // Executing again heals it.
        try keep("a")
        #expect(try cache.lookup(key) != nil)
    }

    @Test func `a result whose log is gone is none the worse`() throws {
        let key = try keep("a", log: "log")
        try cache.flush()
        let log = try #require(try cache.lookup(key)?.log)
        _ = try cache.collect(budgetBytes: 1 << 30, graceSeconds: 0)
        #expect(cache.store.contains(log.digest, size: log.size))
        try #require(unlink(cache.store.path(of: log.digest)) == 0)
        #expect(try cache.lookup(key)?.log == log)
        #expect(cache.store.read(log.digest) == nil)
    }

    @Test func `large trees and manifests are kept beside the table`() throws {
        let blob = try cache.store.insert([1])
        let entries = (0..<5000).map { number in
            FileTree.Entry(
                path: TreePath(unchecked: Array("out/file-\(100_000 + number)".utf8)),
                node: .file(blob.digest, size: 1, isExecutable: false))
        }
        let inputs = FileTree(sorted: entries)
        let manifest = try Manifest(
            Action(
                command: .argv([]), machine: .image("i"), platform: "p", inputs: inputs))
        var result = try result("x", in: cache)
        result.key = manifest.key
        result.outputs = inputs
        try cache.enqueue(result, manifest: manifest.encoded())
        try cache.flush()
        let other = try ActionCache(scratch.path + "/cache")
        #expect(try other.lookup(manifest.key) == result)
        #expect(try other.manifest(of: manifest.key) == manifest)
        _ = try other.collect(budgetBytes: 1 << 30, graceSeconds: 0)
        #expect(try other.lookup(manifest.key) == result)
        #expect(try other.manifest(of: manifest.key) == manifest)
    }

    @Test func `a collection keeps what was used last, within the budget, and what is pinned`()
        throws
    {
        for name in ["a", "b", "c", "d"] { try keep(name, size: 1000, log: "same log") }
        try cache.flush()
        let keys = try ["a", "b", "c", "d"].map { try manifest($0).key }
        #expect(try cache.pin(keys[0]))
        // As if they were used one after the other.
        let database = try Database(
            path: scratch.path + "/cache/results.db", migrations: ActionCache.migrations)
        for (used, key) in keys.enumerated() {
            try database.run(
                "UPDATE results SET used = ? WHERE key = ?", .init(used), .init(key.digest.bytes))
        }
        let plan = try cache.collect(budgetBytes: 2100, removes: false, graceSeconds: 0)
        #expect(try cache.statistics().results == 4)
        let done = try cache.collect(budgetBytes: 2100, graceSeconds: 0)
        #expect(plan == done)
        #expect(done == CacheCollection(results: 2, blobs: 2, bytes: 2000, keptBytes: 2008))
        #expect(try keys.map { try cache.lookup($0) != nil } == [true, false, false, true])
        #expect(
            try cache.statistics()
                == CacheStatistics(results: 2, pinned: 1, blobs: 3, blobBytes: 2008))
        // What is pinned stays beyond any budget, until it is not.
        #expect(try cache.collect(budgetBytes: 0, graceSeconds: 0).results == 1)
        #expect(try cache.lookup(keys[0]) != nil)
        #expect(try cache.pin(keys[0], false))
        #expect(try cache.collect(budgetBytes: 0, graceSeconds: 0).keptBytes == 0)
        #expect(try !cache.pin(keys[0]))
    }

    @Test func `a collection spares what another process may be about to commit`() throws {
        let blob = try cache.store.insert(Array("not committed yet".utf8))
        #expect(try cache.collect(budgetBytes: 0).blobs == 0)
        #expect(cache.store.contains(blob.digest, size: blob.size))
        #expect(try cache.collect(budgetBytes: 0, graceSeconds: 0).blobs == 1)
    }

    @Test func `drafts of processes that were killed are removed in time`() throws {
        try scratch.write("cache/cas/new/blob.1.2.3.new", "half a bl")
        _ = try cache.collect(budgetBytes: 0)
        #expect(scratch.read("cache/cas/new/blob.1.2.3.new") != nil)
        _ = try cache.collect(budgetBytes: 0, graceSeconds: 0)
        #expect(scratch.read("cache/cas/new/blob.1.2.3.new") == nil)
    }

    @Test func `verification finds and removes damaged blobs only`() throws {
        let good = try cache.store.insert(Array("good".utf8), isExecutable: true)
        let bad = try cache.store.insert([UInt8](repeating: 3, count: 2 << 20))
        let path = cache.store.path(of: bad.digest)
        try #require(chmod(path, 0o600) == 0)
        let file = open(path, O_WRONLY)
        try #require(pwrite(file, "x", 1, 1_000_000) == 1 && close(file) == 0)
        let times = [
            timespec(tv_sec: 946_684_800, tv_nsec: 0), timespec(tv_sec: 946_684_800, tv_nsec: 0),
        ]
        try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
        let found = try cache.store.verify()
        #expect(found.damaged == [bad.digest])
        #expect(found.blobs == 2 && found.bytes == bad.size + good.size)
        #expect(cache.store.contains(good.digest, size: good.size))
        #expect(try cache.store.verify().damaged.isEmpty)
    }

    @Test func `results are listed, found by the beginning of their keys, and removed`() throws {
        let keys = try ["a", "b", "c"].map { try keep($0, size: 100) }
        let entries = try cache.entries()
        #expect(Set(entries.map(\.key)) == Set(keys))
        #expect(entries.allSatisfy { $0.size == 100 && $0.job == "job-1" && !$0.isPinned })
        #expect(try cache.entries(most: 2).count == 2)
        let hex = keys[1].digest.hex
        #expect(try cache.keys(beginningWith: String(hex.prefix(12))) == [keys[1]])
        #expect(try cache.keys(beginningWith: "") == [])
        #expect(try cache.keys(beginningWith: "*") == [])
        #expect(try cache.remove(keys[1]))
        #expect(try !cache.remove(keys[1]))
        #expect(try cache.lookup(keys[1]) == nil)
    }

    @Test func `many results do not wait for ever`() throws {
        let result = try result("x", in: cache)
        let manifest = try manifest("x").encoded()
        for number in 0..<ActionCache.mostWaiting {
            var other = result
            other.key = ActionKey(Digest(ofUTF8: "\(number)"))
            try cache.enqueue(other, manifest: manifest)
            #expect(cache.waitingCount < ActionCache.mostWaiting)
        }
        try cache.flush()
        #expect(cache.waitingCount == 0)
        let other = try ActionCache(scratch.path + "/cache")
        #expect(try other.statistics().results == ActionCache.mostWaiting)
    }

    @Test func `many results are written aside while others come`() throws {
        let result = try result("x", in: cache)
        let manifest = try manifest("x").encoded()
        for number in 0..<ActionCache.manyWaiting {
            var other = result
            other.key = ActionKey(Digest(ofUTF8: "\(number)"))
            try cache.enqueue(other, manifest: manifest)
        }
        // Nobody flushes: it is a thread of the cache's that does.
        let deadline = ContinuousClock.now + .seconds(60)
        while cache.waitingCount > 0, ContinuousClock.now < deadline { usleep(1000) }
        let other = try ActionCache(scratch.path + "/cache")
        #expect(try other.statistics().results == ActionCache.manyWaiting)
    }

    @Test func `a full disk loses no result that waits`() throws {
        let disk = try SmallDisk(in: scratch, options: "size=2m")
        let small = try ActionCache(disk.path + "/cache")
        let key = try keep("a", in: small, log: "log")
        let filler = try #require(fopen(disk.path + "/filler", "w"))
        let block = [UInt8](repeating: 1, count: 4096)
        while fwrite(block, 1, block.count, filler) == block.count, fflush(filler) == 0 {}
        fclose(filler)
        var isFull = false
        // The database may have room left for a few results.
        for number in 0..<2000 where !isFull {
            do {
                try keep("\(number)", size: 5000, in: small)
                try small.flush()
            } catch {
                guard case .noSpace(_, let fileSystem)? = error as? CacheError else { throw error }
                #expect(fileSystem == disk.path)
                isFull = true
            }
        }
        #expect(isFull)
        #expect(try small.lookup(key) != nil)
        try #require(unlink(disk.path + "/filler") == 0)
        try small.flush()
        #expect(try ActionCache(disk.path + "/cache").lookup(key) != nil)
    }

    @Test func `two processes put the same results in at once`() async throws {
        let folder = scratch.path + "/cache"
        try scratch.write("folder", folder)
        setenv("DANUBE_TEST_CACHE", folder, 1)
        async let one = #expect(processExitsWith: .success) { try Self.work() }
        async let two = #expect(processExitsWith: .success) { try Self.work() }
        _ = await (one, two)
        let other = try ActionCache(folder)
        #expect(try other.statistics().results == 200)
        for entry in try other.entries() { #expect(try other.lookup(entry.key) != nil) }
        #expect(try other.store.verify().damaged == [])
        #expect(
            try CacheScratch.run(["/usr/bin/find", other.store.drafts.above, "-type", "f"]) == "")
    }

    private static func work() throws {
        let folder = try #require(getenv("DANUBE_TEST_CACHE").map { String(cString: $0) })
        let cache = try ActionCache(folder)
        for number in 0..<200 {
            let blob = try cache.store.insert([UInt8](repeating: UInt8(number), count: 9000))
            let tree = FileTree(sorted: [
                FileTree.Entry(
                    path: TreePath(unchecked: [0x78]),
                    node: .file(blob.digest, size: blob.size, isExecutable: false))
            ])
            try cache.enqueue(
                ActionResult(
                    key: ActionKey(blob.digest), outputs: tree, log: nil, captured: nil,
                    durationMilliseconds: 1, job: "j", step: "s", created: 1),
                manifest: [])
            if number % 20 == 19 { try cache.flush() }
            if try cache.lookup(ActionKey(blob.digest)) == nil { exit(1) }
        }
        try cache.flush()
        exit(0)
    }

    @Test func `a result is an ActionResult message that protoc reads`() throws {
        let result = try result("a", in: cache, log: "log")
        let (message, tree) = result.wire()
        #expect(FileTree(tree: tree) == result.outputs)
        try scratch.write(bytes: Array("message".utf8), message)
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try CacheScratch.run(
            [
                "/usr/bin/protoc", "--decode=build.bazel.remote.execution.v2.ActionResult",
                "--proto_path=/\(root)/proto",
                "build/bazel/remote/execution/v2/remote_execution.proto",
            ], input: scratch.path + "/message")
        #expect(
            text == """
                output_directories {
                  tree_digest {
                    hash: "\(Digest(of: tree).hex)"
                    size_bytes: \(tree.count)
                  }
                  is_topologically_sorted: true
                  root_directory_digest {
                    hash: "\(result.outputs.digest.hex)"
                    size_bytes: \(result.outputs.encoded().root.bytes.count)
                  }
                }
                stdout_raw: "captured\\000\\303\\251"
                execution_metadata {
                  worker: "job-1"
                  worker_completed_timestamp {
                    seconds: 1700000000
                  }
                  auxiliary_metadata {
                    type_url: "type.googleapis.com/danube.cache.v1.ResultFacts"
                    value: "\\n\\006step a\\022D\\n@\(Digest(ofUTF8: "log").hex)\\020\\003"
                  }
                  virtual_execution_duration {
                    nanos: 12000000
                  }
                }

                """)
    }
}
