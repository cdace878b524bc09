import PipelineIR
import Synchronization
import Testing

@testable import Executor

@Suite struct RemoteResultTests {
    private func result() throws -> ActionResult {
        let content = Digest(ofUTF8: "content")
        return ActionResult(
            key: ActionKey(Digest(ofUTF8: "key")),
            outputs: FileTree(sorted: [
                FileTree.Entry(
                    path: try #require(TreePath("out/a")),
                    node: .file(content, size: 7, isExecutable: false))
            ]),
            log: ContentStore.Blob(digest: Digest(ofUTF8: "log"), size: 3), captured: "é\0",
            durationMilliseconds: 61_234, job: "job-1", step: "p/step", created: 1_700_000_000)
    }

    @Test func `what is sent is what is read`() throws {
        let result = try result()
        let (message, tree) = result.wire()
        let read = try #require(RemoteResult(encoded: message))
        #expect(read.tree.digest == Digest(of: tree) && read.tree.size == Int64(tree.count))
        #expect(read.captured == "é\0" && read.log == result.log)
        #expect(read.job == "job-1" && read.step == "p/step")
        #expect(read.created == 1_700_000_000 && read.milliseconds == 61_234)
    }

    @Test func `no damaged message ends the program, and none says what it must not`() throws {
        let message = try result().wire().message
        var random = SystemRandomNumberGenerator()
        for length in 0..<message.count { _ = RemoteResult(encoded: Array(message[..<length])) }
        for _ in 0..<20_000 {
            var damaged = message
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = .random(
                    in: .min ... .max, using: &random)
            }
            guard let read = RemoteResult(encoded: damaged) else { continue }
            #expect(read.tree.size >= 0)
            let names = (read.job + read.step).unicodeScalars
            #expect(names.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        }
    }

    @Test func `what is no success is no result`() throws {
        var writer = WireWriter()
        writer.append(try result().wire().message)
        writer.field(4, 1)
        #expect(RemoteResult(encoded: writer.bytes) == nil)
        #expect(RemoteResult(encoded: []) == nil)
    }

    /// What a change makes of a tree.
    private func applied(_ change: TreeChange, to tree: FileTree) throws -> FileTree {
        var entries = tree.entries.filter { entry in
            !change.removed.contains { entry.path.isWithin($0) }
        }
        for written in change.written.entries {
            entries.removeAll {
                $0.path.isWithin(written.path) && written.node != .folder
                    || written.path.isWithin($0.path)
            }
            entries.append(written)
        }
        return try #require(FileTree(entries))
    }

    private func tree(
        _ random: inout some RandomNumberGenerator
    ) throws -> FileTree {
        var entries: [FileTree.Entry] = []
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let depth = Int.random(in: 1...3, using: &random)
            let names = (0..<depth).map { _ in ["a", "b", "c"].randomElement(using: &random) ?? "" }
            let node: FileTree.Node =
                [
                    .folder, .link([0x78]),
                    .file(Digest(ofUTF8: "1"), size: 1, isExecutable: false),
                    .file(Digest(ofUTF8: "2"), size: 1, isExecutable: true),
                ].randomElement(using: &random) ?? .folder
            let path = try #require(TreePath(names.joined(separator: "/")))
            if entries.contains(where: { $0.path.isWithin(path) || path.isWithin($0.path) }) {
                continue
            }
            entries.append(FileTree.Entry(path: path, node: node))
        }
        return try #require(FileTree(entries))
    }

    @Test func `a change makes one tree of another, and comes back from bytes`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let (before, after) = (try tree(&random), try tree(&random))
            let change = TreeChange(from: before, to: after)
            #expect(try applied(change, to: before) == after, "\(before) \(after) \(change)")
            #expect(TreeChange(encoded: change.encoded()) == change)
            // What is gone with the folder around it is not named.
            for (one, other) in zip(change.removed, change.removed.dropFirst()) {
                #expect(!other.isWithin(one))
            }
        }
        #expect(TreeChange(from: .empty, to: .empty).written == .empty)
    }

    @Test func `work that is awaited comes first, and the end waits for what was begun`() {
        let queue = WorkQueue(mostThreads: 1)
        let order = Order()
        #expect(queue.add(isAwaited: false) { while !order.isOpen {} })
        for number in 0..<5 {
            #expect(queue.add(isAwaited: false) { order.add(100 + number) })
            #expect(queue.add(isAwaited: true) { order.add(number) })
        }
        order.open()
        #expect(queue.waitUntilIdle(MonotonicClock.now() &+ 60_000_000_000))
        #expect(order.numbers == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104])
        queue.end()
        #expect(!queue.add(isAwaited: true) {})
    }
}

/// What was done, in its order.
private final class Order: Sendable {
    private let state = Mutex<(isOpen: Bool, numbers: [Int])>((false, []))

    var isOpen: Bool { state.withLock { $0.isOpen } }

    var numbers: [Int] { state.withLock { $0.numbers } }

    func open() { state.withLock { $0.isOpen = true } }

    func add(_ number: Int) { state.withLock { $0.numbers.append(number) } }
}
