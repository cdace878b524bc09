import Glibc
import PipelineIR
import Testing

@testable import Executor

struct KeptLogTests {
    private struct Piece: Equatable {
        var stream: LogStream
        var bytes: [UInt8]
    }

    private let scratch: CacheScratch
    private let store: ContentStore

    init() throws {
        scratch = try CacheScratch()
        store = try ContentStore(scratch.path + "/cas")
    }

    private func add(_ recording: LogRecording, _ stream: LogStream, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { recording.append(stream, $0) }
    }

    /// What a kept log holds; `nil` when it is none.
    private func read(_ bytes: [UInt8]) -> [Piece]? {
        var found: [Piece] = []
        let isWhole = KeptLog.read(bytes) { found.append(Piece(stream: $0, bytes: Array($1))) }
        return isWhole ? found : nil
    }

    private func read(_ blob: ContentStore.Blob) throws -> [Piece] {
        let bytes = try #require(store.read(blob.digest))
        #expect(bytes.count == Int(blob.size))
        return try #require(read(bytes))
    }

    @Test func `streams keep their order and their bytes`() throws {
        let recording = LogRecording(store)
        add(recording, .standardOutput, Array("one\n".utf8))
        add(recording, .standardOutput, [])
        add(recording, .standardOutput, [0, 0xff, 0x1b])
        add(recording, .standardError, [0xc3])
        add(recording, .standardOutput, [10])
        let blob = try #require(recording.finish())
        #expect(recording.problem == nil)
        #expect(
            try read(blob) == [
                Piece(stream: .standardOutput, bytes: Array("one\n".utf8) + [0, 0xff, 0x1b]),
                Piece(stream: .standardError, bytes: [0xc3]),
                Piece(stream: .standardOutput, bytes: [10]),
            ])
    }

    @Test func `nothing that was printed is nothing that is kept`() throws {
        let recording = LogRecording(store)
        add(recording, .standardOutput, [])
        #expect(recording.finish() == nil)
        #expect(store.addedBytes == 0)
    }

    @Test(arguments: [1, 7, 4096, 65_536, 100_000, 1 << 20])
    func `the same output is the same blob, however it came`(step: Int) throws {
        let output = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let expected = LogRecording(store)
        add(expected, .standardOutput, output)
        add(expected, .standardError, output)
        let recording = LogRecording(store)
        for stream in [LogStream.standardOutput, .standardError] {
            for start in stride(from: 0, to: output.count, by: step) {
                add(recording, stream, Array(output[start..<min(start + step, output.count)]))
            }
        }
        let blob = try #require(recording.finish())
        #expect(blob == expected.finish())
        let pieces = try read(blob)
        #expect(pieces.filter { $0.stream == .standardOutput }.flatMap(\.bytes) == output)
        #expect(pieces.filter { $0.stream == .standardError }.flatMap(\.bytes) == output)
    }

    @Test func `of more than the bound the beginning and the end are kept, in whole lines`()
        throws
    {
        let recording = LogRecording(store)
        var total = 0
        var line = 0
        while total < 3 * LogRecording.mostBytes {
            var text = ""
            for _ in 0..<700 {
                line += 1
                text += "line \(line)\n"
            }
            total += text.utf8.count
            add(recording, line % 3 == 0 ? .standardError : .standardOutput, Array(text.utf8))
        }
        let blob = try #require(recording.finish())
        #expect(blob.size <= Int64(LogRecording.mostBytes) + (1 << 16))
        #expect(blob.size > Int64(LogRecording.mostBytes) - (1 << 18))
        let pieces = try read(blob)
        let place = try #require(pieces.firstIndex { $0.stream == .note })
        let lines = { (pieces: ArraySlice<Piece>) in
            pieces.flatMap(\.bytes).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        }
        let begin = lines(pieces[..<place])
        let end = lines(pieces[(place + 1)...])
        #expect(begin == (1...begin.count).map { "line \($0)" })
        #expect(end == ((line - end.count + 1)...line).map { "line \($0)" })
        let kept = pieces.filter { $0.stream != .note }.reduce(0) { $0 + $1.bytes.count }
        #expect(
            String(decoding: pieces[place].bytes, as: UTF8.self)
                == "\(total - kept) of the \(total) bytes that were printed are not kept")
    }

    @Test func `a line that is longer than the bound is cut`() throws {
        let recording = LogRecording(store)
        let part = [UInt8](repeating: 120, count: 1 << 20)
        for _ in 0..<40 { add(recording, .standardOutput, part) }
        let pieces = try read(try #require(recording.finish()))
        #expect(pieces.filter { $0.stream == .note }.count == 1)
        let kept = pieces.filter { $0.stream != .note }.reduce(0) { $0 + $1.bytes.count }
        #expect((LogRecording.mostBytes - (1 << 18)...LogRecording.mostBytes).contains(kept))
    }

    @Test func `an attempt that is not kept leaves nothing`() throws {
        var recording: LogRecording? = LogRecording(store)
        if let recording {
            add(recording, .standardOutput, [UInt8](repeating: 1, count: 1 << 20))
        }
        let drafts = try #require(try FolderList.names(scratch.path + "/cas/new").first)
        #expect(try FolderList.names(scratch.path + "/cas/new/" + drafts).count == 1)
        recording = nil
        #expect(try FolderList.names(scratch.path + "/cas/new/" + drafts).isEmpty)
        #expect(store.addedBytes == 0)
    }

    @Test func `a log that cannot be written is named all the same`() throws {
        let other = LogRecording(store)
        let recording = LogRecording(try ContentStore(scratch.path + "/other"))
        try scratch.remove("other/new")
        try scratch.write("other/new", "in the way")
        let output = [UInt8](repeating: 7, count: 1 << 20)
        add(recording, .standardOutput, output)
        add(other, .standardOutput, output)
        #expect(recording.finish() == other.finish())
        #expect(recording.problem != nil)
        #expect(other.problem == nil)
    }

    @Test func `what is no log, or a damaged one, is told from one`() {
        var log = KeptLog()
        Array("text".utf8).withUnsafeBytes { log.append(.standardOutput, $0) }
        let bytes = KeptLog.head + log.takeAll()
        #expect(read(bytes)?.count == 1)
        #expect(read(KeptLog.head)?.isEmpty == true)
        for end in 0..<bytes.count where end != KeptLog.head.count {
            #expect(read(Array(bytes[..<end])) == nil)
        }
        for (place, value) in [(16, 9), (17, 5), (20, 255), (0, 0)] as [(Int, UInt8)] {
            var damaged = bytes
            damaged[place] = value
            #expect(read(damaged) == nil)
        }
    }
}

private enum FolderList {
    static func names(_ path: String) throws -> [String] {
        let folder = try #require(opendir(path))
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
