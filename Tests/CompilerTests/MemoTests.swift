import Glibc
import PipelineIR
import Testing

@testable import Compiler

@Suite struct MemoTests {
    private let scratch: Scratch
    private let source: WorkingTree
    private let store: MemoStore
    private let key = Digest(of: [1])
    private let reads: [RecordedRead]
    private let context: [(name: String, json: String)] = [("branch", "\"main\"")]

    private struct Branch: ContextProvider {
        var name = "main"
        func value(_ name: String) -> ContextAnswer {
            name == "branch" ? .value(.string(self.name)) : .unknown
        }
    }

    init() throws {
        scratch = try Scratch()
        try scratch.write("tree/danubefile.py", "one")
        try scratch.write("tree/data/x", "")
        source = try WorkingTree(scratch.path + "/tree")
        store = try #require(MemoStore(folder: scratch.path + "/cache/danube/plans"))
        let recorded = RecordedSource(source)
        _ = recorded.read("danubefile.py")
        _ = recorded.list("data")
        _ = recorded.stat("data/x")
        _ = recorded.read("missing")
        reads = recorded.reads
    }

    private func keep(_ result: [UInt8] = [1, 2, 3]) {
        store.keep(key, reads: reads, context: context, python: python, result: result)
    }

    /// A version whose library is on this machine.
    private let python = "3.11.2"

    private func find(_ context: any ContextProvider = Branch()) -> [UInt8]? {
        store.find(key, source: source, context: context)
    }

    private func files() throws -> [String] {
        guard
            case .names(let names) = try WorkingTree(scratch.path + "/cache/danube/plans").list("")
        else { return [] }
        return names
    }

    @Test func `what was kept is found while nothing changes`() {
        #expect(find() == nil)
        keep()
        #expect(find() == [1, 2, 3])
        #expect(store.find(Digest(of: [2]), source: source, context: Branch()) == nil)
    }

    @Test(arguments: ["danubefile.py", "data/y", "data/x", "missing"])
    func `a changed answer is a miss`(_ path: String) throws {
        keep()
        try scratch.write("tree/" + path, "changed")
        #expect(find() == nil)
    }

    @Test func `a changed context is a miss, and both results are kept`() {
        keep()
        #expect(find(Branch(name: "other")) == nil)
        store.keep(
            key, reads: reads, context: [("branch", "\"other\"")], python: python, result: [9])
        #expect(find(Branch(name: "other")) == [9])
        #expect(find() == [1, 2, 3])
    }

    @Test func `traces of one key are bounded`() {
        for number in 0..<20 {
            store.keep(
                key, reads: reads, context: [("branch", "\"\(number)\"")], python: python,
                result: [UInt8(number)])
        }
        #expect(find(Branch(name: "19")) == [19])
        #expect(find(Branch(name: "12")) == [12])
        #expect(find(Branch(name: "11")) == nil)
    }

    @Test func `a Python that is not there keeps nothing`() throws {
        store.keep(key, reads: reads, context: context, python: "9.99.0", result: [1])
        #expect(try files().isEmpty)
    }

    @Test func `torn and foreign files are misses`() throws {
        keep([UInt8](repeating: 5, count: 5000))
        for name in try files() {
            let path = scratch.path + "/cache/danube/plans/" + name
            for length in [0, 1, 31, 32, 33, 100] as [off_t] {
                keep([UInt8](repeating: 5, count: 5000))
                try #require(truncate(path, length) == 0)
                #expect(find() == nil, "\(name) cut at \(length)")
            }
            keep([UInt8](repeating: 5, count: 5000))
            #expect(find()?.count == 5000)
            try scratch.write(
                "cache/danube/plans/" + name, [UInt8](repeating: 0x28, count: 4000), mode: 0o600)
            #expect(find() == nil, "\(name) overwritten")
            keep([UInt8](repeating: 5, count: 5000))
        }
    }

    @Test func `the oldest are removed when there is too much`() throws {
        let small = try #require(MemoStore(folder: scratch.path + "/small", capacityBytes: 100_000))
        for number in 0..<40 as Range<UInt8> {
            small.keep(
                Digest(of: [number]), reads: reads, context: context, python: python,
                result: [UInt8](repeating: number, count: 10_000))
            try age(scratch.path + "/small", to: Int(number))
        }
        let found = (0..<40 as Range<UInt8>).filter {
            small.find(Digest(of: [$0]), source: source, context: Branch()) != nil
        }
        #expect(found.last == 39)
        #expect(found.count >= 4 && found.count <= 10)
    }

    /// Makes the files of a folder that are of now look as if they were used long ago, in order.
    private func age(_ folder: String, to number: Int) throws {
        guard case .names(let names) = try WorkingTree(folder).list("") else { return }
        for name in names {
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0, status.st_mtim.tv_sec > 1_000_000 else {
                continue
            }
            let time = timespec(tv_sec: 1000 + number, tv_nsec: 0)
            utimensat(AT_FDCWD, "\(folder)/\(name)", [time, time], 0)
        }
    }

    @Test func `a folder that others may write to is not used`() throws {
        scratch.folder("shared")
        chmod(scratch.path + "/shared", 0o777)
        #expect(MemoStore(folder: scratch.path + "/shared") == nil)
        try scratch.link("linked", to: "cache")
        #expect(MemoStore(folder: scratch.path + "/linked") == nil)
    }

    @Test func `many at once keep and find whole results`() async {
        let (store, source, reads, context) = (store, source, reads, context)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 as Range<UInt8> {
                group.addTask {
                    var isWhole = true
                    for _ in 0..<50 {
                        store.keep(
                            Digest(of: [7]), reads: reads, context: context, python: "3.11.2",
                            result: [UInt8](repeating: task, count: 3000))
                        if let found = store.find(
                            Digest(of: [7]), source: source, context: Branch())
                        {
                            isWhole = isWhole && found.count == 3000 && Set(found).count == 1
                        }
                    }
                    return isWhole
                }
            }
            for await isWhole in group { #expect(isWhole) }
        }
    }

    @Test func `a compilation comes back as it was kept`() throws {
        var compilation = Compilation()
        compilation.paths = 3
        compilation.pipelines = [(name: "build", documentation: "Builds.")]
        var diagnostic = Diagnostic(
            code: "DNB301", level: .warning, message: "twice",
            place: .init(file: "danubefile.py", line: 3, column: 1, endLine: 3, endColumn: 9),
            hint: "Name it.")
        diagnostic.stack = [.init(file: "danubefile.py", line: 9, text: "x()")]
        compilation.diagnostics = [diagnostic, Diagnostic(code: "X", level: .note, message: "")]
        compilation.protoBytes = [1, 2, 3]
        let found = try MemoResult.decode(MemoResult.encode(compilation))
        #expect(found.memoised)
        #expect(found.paths == 3)
        #expect(found.diagnostics == compilation.diagnostics)
        #expect(found.protoBytes == [1, 2, 3])
        #expect(found.pipelines.map(\.name) == ["build"])
    }
}
