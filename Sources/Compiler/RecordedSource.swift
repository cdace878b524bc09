internal import Glibc
package import PipelineIR

/// Something that was asked of a repository, and what came of it.
package struct RecordedRead: Sendable, Hashable {
    /// What was asked.
    package enum Question: Int32, Sendable, CaseIterable {
        case content = 0
        case status = 1
        case names = 2
    }

    /// Path in the repository; "" is its root.
    package var path: String
    /// What was asked of it.
    package var question: Question
    /// What came of it.
    package var outcome: Outcome

    /// What came of it, so that it can be compared later.
    package enum Outcome: Sendable, Hashable {
        /// Digest of a file's content or of a folder's names.
        case digest(String)
        case file(size: Int64, executable: Bool)
        case folder
        case absent
        case failed(Int32)
    }
}

/// A source that remembers all that was read of it, and that does not change while it is read.
///
/// An evaluation runs the file several times, so an answer must not differ from the one before: a
/// path whose content changed meanwhile fails with `ESTALE`.
package final class RecordedSource {
    private let source: any RepositorySource
    private var outcomes: [Asked: RecordedRead.Outcome] = [:]
    /// Bytes of all paths in `outcomes`.
    private var pathBytes = 0

    /// Version of the Python that read, once it has said it.
    var python = ""

    /// Whether no path changed while it was read; if one did, the result is not worth keeping.
    package private(set) var isStable = true

    private struct Asked: Hashable {
        var question: RecordedRead.Question
        var path: String
    }

    /// Records reads of `source`.
    package init(_ source: any RepositorySource) { self.source = source }

    /// What tells the source from others.
    package var identity: String { source.identity }

    /// The content of a regular file.
    package func read(_ path: String) -> ReadResult {
        let result = source.read(path)
        if let failure = note(.content, path, Self.outcome(of: result)) { return .failed(failure) }
        return result
    }

    /// What a path is.
    package func stat(_ path: String) -> StatResult {
        let result = source.stat(path)
        if let failure = note(.status, path, Self.outcome(of: result)) { return .failed(failure) }
        return result
    }

    /// The names in a folder.
    package func list(_ path: String) -> ListResult {
        let result = source.list(path)
        if let failure = note(.names, path, Self.outcome(of: result)) { return .failed(failure) }
        return result
    }

    /// The content of a file, read without being recorded: to show a line of it.
    package func peek(_ path: String) -> ReadResult { source.read(path) }

    /// What a path is, without its being recorded.
    func peekStatus(_ path: String) -> StatResult { source.stat(path) }

    /// All that was asked, sorted by (question, path).
    package var reads: [RecordedRead] {
        outcomes.map { RecordedRead(path: $0.path, question: $0.question, outcome: $1) }
            .sorted {
                $0.question != $1.question
                    ? $0.question.rawValue < $1.question.rawValue
                    : $0.path.utf8.lexicographicallyPrecedes($1.path.utf8)
            }
    }

    /// What a plan says about its sources: contents, listings and what was missing, sorted by
    /// (kind, path). A file whose presence alone was asked for is not among them.
    package var sources: [Source] {
        var found: Set<Source.Key> = []
        var sources: [Source] = []
        for (asked, outcome) in outcomes {
            let kind: Source.Kind
            var digest = ""
            switch outcome {
            case .digest(let value):
                kind = asked.question == .names ? .listing : .file
                digest = value
            case .absent: kind = .absent
            case .file, .folder, .failed: continue
            }
            // The root's own path is empty; a plan calls it `.`.
            let path = asked.path.isEmpty ? "." : asked.path
            guard found.insert(Source.Key(kind: kind, path: path)).inserted else { continue }
            sources.append(Source(path: path, kind: kind, digest: digest))
        }
        return sources.sorted { Source.Key($0) < Source.Key($1) }
    }

    /// Asks `source` again and compares.
    package static func holds(_ read: RecordedRead, in source: any RepositorySource) -> Bool {
        switch read.question {
        case .content: outcome(of: source.read(read.path)) == read.outcome
        case .status: outcome(of: source.stat(read.path)) == read.outcome
        case .names: outcome(of: source.list(read.path)) == read.outcome
        }
    }

    private func note(
        _ question: RecordedRead.Question, _ path: String, _ outcome: RecordedRead.Outcome
    ) -> SourceFailure? {
        let asked = Asked(question: question, path: path)
        if let before = outcomes[asked] {
            if before == outcome { return nil }
            isStable = false
            return SourceFailure(errno: ESTALE, message: "changed while the danubefile was read")
        }
        guard outcomes.count < Limits.reads, path.utf8.count <= Limits.pathBytes,
            pathBytes + path.utf8.count <= Limits.readPathBytes
        else {
            return SourceFailure(errno: EMFILE, message: "more than \(Limits.reads) paths are read")
        }
        pathBytes += path.utf8.count
        outcomes[asked] = outcome
        return nil
    }

    private static func outcome(of result: ReadResult) -> RecordedRead.Outcome {
        switch result {
        case .content(let bytes): .digest(SourceDigest.hex(bytes))
        case .absent: .absent
        case .failed(let failure): .failed(failure.errno)
        }
    }

    private static func outcome(of result: StatResult) -> RecordedRead.Outcome {
        switch result {
        case .file(let size, let executable): .file(size: size, executable: executable)
        case .folder: .folder
        case .absent: .absent
        case .failed(let failure): .failed(failure.errno)
        }
    }

    private static func outcome(of result: ListResult) -> RecordedRead.Outcome {
        switch result {
        case .names(let names): .digest(SourceDigest.hex(names: names))
        case .absent: .absent
        case .failed(let failure): .failed(failure.errno)
        }
    }
}

extension Source {
    /// The order of a plan's sources.
    fileprivate struct Key: Hashable, Comparable {
        var kind: UInt8
        var path: [UInt8]
        init(kind: Kind, path: String) {
            self.kind = kind.rawValue
            self.path = Array(path.utf8)
        }
        init(_ source: Source) { self.init(kind: source.kind, path: source.path) }
        static func < (a: Self, b: Self) -> Bool {
            a.kind != b.kind ? a.kind < b.kind : a.path.lexicographicallyPrecedes(b.path)
        }
    }
}
