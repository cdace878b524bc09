internal import GRDB
internal import PipelineIR

internal import enum Executor.AtomicFile
internal import enum Executor.CacheError
internal import class Executor.ContentStore
internal import struct Executor.Timestamp

/// Finds what is to be removed of the cache for others: what was not used for long, and what was
/// not used for longest where there is too much. It changes nothing; it waits for the disk.
///
/// A content that a result which stays may speak of stays too, so that no result points to what is
/// gone. Results are of anybody's form; what looks like a digest in one is taken for one.
struct SharedCacheSurvey {
    let store: ContentStore
    let rules: ReapRules
    let now: Timestamp

    /// A content may be there before the result that needs it; so long it is waited for.
    static let graceMilliseconds: Int64 = 3_600_000
    /// The largest content that is looked at for digests: the tree of a folder of outputs.
    private static let mostTreeBytes: Int64 = 8 << 20

    /// What goes.
    struct Found {
        /// Names are `SCOPE KEY`.
        var results: [ReapItem] = []
        var contents: [(item: ReapItem, path: String)] = []
    }

    private struct Content {
        var size: Int64
        var touched: Int64
        var path: String
    }

    /// Looks at all of it.
    func found(in connection: Database) throws -> Found {
        var contents: [Digest: Content] = [:]
        try store.forEachBlob { blob throws(CacheError) in
            contents[blob.digest] = Content(
                size: blob.size, touched: blob.changed / 1_000_000, path: blob.path)
        }
        var found = Found()
        let needed = try choose(connection, contents, &found)
        var total = needed.reduce(Int64(0)) { $0 &+ (contents[$1]?.size ?? 0) }
        let rest = contents.filter { !needed.contains($0.key) }
            .sorted { ($0.value.touched, $1.key.hex) > ($1.value.touched, $0.key.hex) }
        for (digest, content) in rest {
            let isOld = content.touched < limit(rules.shared)
            let isOver = rules.mostShared > 0 && total &+ content.size > rules.mostShared
            guard isOld || isOver && content.touched < limit(Self.graceMilliseconds) else {
                total = total.addingReportingOverflow(content.size).partialValue
                continue
            }
            found.contents.append(
                (
                    ReapItem(
                        kind: .contents, name: digest.hex, bytes: content.size,
                        reason: isOld ? .age : .size), content.path
                ))
        }
        return found
    }

    private func limit(_ age: Int64) -> Int64 {
        now.sinceEpoch.subtractingReportingOverflow(age).partialValue
    }

    /// The contents that results which stay need, and the results that go.
    private func choose(
        _ connection: Database, _ contents: [Digest: Content], _ found: inout Found
    ) throws -> Set<Digest> {
        var needed: Set<Digest> = []
        var total: Int64 = 0
        var isOver = false
        let rows = try Row.fetchCursor(
            connection,
            sql: "SELECT scope, key, used, bytes, result FROM cache_entries ORDER BY used DESC, key"
        )
        while let row = try rows.next() {
            var fields = Fields(row, of: "cache_entries")
            let scope = try fields.text()
            let key = try fields.digest()
            let isOld = try fields.integer() < limit(rules.shared)
            let bytes = try fields.integer()
            let added = isOld ? [] : references(of: try fields.bytes(), contents, but: needed)
            let size = added.reduce(bytes) { $0 &+ (contents[$1]?.size ?? 0) }
            isOver = isOver || rules.mostShared > 0 && total &+ size > rules.mostShared
            if isOld || isOver {
                found.results.append(
                    ReapItem(
                        kind: .results, name: "\(scope) \(key.hex)", bytes: bytes,
                        reason: isOld ? .age : .size))
            } else {
                total &+= size
                needed.formUnion(added)
            }
        }
        return needed
    }

    /// Contents that a result may speak of, and those that its trees of folders do.
    private func references(
        of result: [UInt8], _ contents: [Digest: Content], but known: Set<Digest>
    ) -> Set<Digest> {
        var found = DigestsInText.find(result).filter { contents[$0] != nil }
        for digest in DigestsInText.trees(result) {
            guard let content = contents[digest], content.size <= Self.mostTreeBytes,
                let bytes = AtomicFile.read(content.path, most: Self.mostTreeBytes)
            else { continue }
            found.formUnion(DigestsInText.find(bytes).filter { contents[$0] != nil })
        }
        return found.subtracting(known)
    }
}

/// Digests in foreign bytes.
enum DigestsInText {
    private static let digits = 64

    /// All runs of just 64 small hexadecimal digits.
    static func find(_ bytes: some Collection<UInt8>) -> Set<Digest> {
        var found: Set<Digest> = []
        var run: [UInt8] = []
        func end() {
            if run.count == digits, let digest = Digest(hex: String(decoding: run, as: UTF8.self)) {
                found.insert(digest)
            }
            run.removeAll(keepingCapacity: true)
        }
        for byte in bytes {
            if byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte) {
                if run.count <= digits { run.append(byte) }
            } else {
                end()
            }
        }
        end()
        return found
    }

    /// Digests of trees: of `output_directories` (3) in an `ActionResult` of the Remote Execution
    /// API, whose `tree_digest` is field 3. What is no such message has none.
    static func trees(_ result: [UInt8]) -> Set<Digest> {
        var found: Set<Digest> = []
        for folder in messages(3, in: result[...]) {
            for digest in messages(3, in: folder) { found.formUnion(find(digest)) }
        }
        return found
    }

    /// The values of one field of bytes in a message of protobuf; none after what is malformed.
    private static func messages(
        _ number: UInt64, in bytes: ArraySlice<UInt8>
    ) -> [ArraySlice<UInt8>] {
        var rest = bytes
        var found: [ArraySlice<UInt8>] = []
        while let key = varint(&rest) {
            switch key & 7 {
            case 0: if varint(&rest) == nil { return found }
            case 1: rest = rest.dropFirst(8)
            case 5: rest = rest.dropFirst(4)
            case 2:
                guard let count = varint(&rest), count <= UInt64(rest.count) else { return found }
                if key >> 3 == number { found.append(rest.prefix(Int(count))) }
                rest = rest.dropFirst(Int(count))
            default: return found
            }
        }
        return found
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
