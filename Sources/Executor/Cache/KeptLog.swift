/// The form in which the output of a step is kept with its result: `head`, then pieces.
///
/// A piece is one byte for the stream, its length as a little-endian u32, and the bytes; pieces of
/// one stream that follow each other are as long as they may be, so however a step's output came,
/// the same output is the same blob. Secrets were taken out of it before.
struct KeptLog {
    /// Whole pieces, and one that may grow.
    private(set) var pieces: [UInt8] = []
    /// Where the piece that may grow begins.
    private var last: Int?

    static let head = Array("danube-output 1\n".utf8)
    private static let pieceHead = 5
    private static let mostPiece = 64 << 10

    /// Adds output.
    mutating func append(_ stream: LogStream, _ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let open = last.flatMap { pieces[$0] == stream.rawValue ? $0 : nil }
            let length = open.map { pieces.count - $0 - Self.pieceHead } ?? 0
            let room = Self.mostPiece - length
            guard let open, room > 0 else {
                last = pieces.count
                pieces.append(stream.rawValue)
                pieces.append(contentsOf: repeatElement(0, count: Self.pieceHead - 1))
                continue
            }
            let part = rest.prefix(room)
            pieces.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
            rest = rest[part.endIndex...]
            setLength(length + part.count, at: open)
        }
    }

    private mutating func setLength(_ length: Int, at piece: Int) {
        for byte in 0..<4 {
            pieces[piece + 1 + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte))
        }
    }

    /// Gives the pieces that do not grow any more, and forgets them.
    mutating func takeWhole() -> [UInt8] {
        let end = last ?? pieces.count
        let whole = Array(pieces[..<end])
        pieces.removeFirst(end)
        last = last.map { _ in 0 }
        return whole
    }

    /// Gives all pieces, and forgets them.
    mutating func takeAll() -> [UInt8] {
        defer { self = KeptLog() }
        return pieces
    }

    /// Forgets the first pieces until no more than some bytes are left, or one piece.
    mutating func keepLast(_ most: Int) {
        var start = 0
        while pieces.count - start > most, let last, start < last {
            guard let piece = Self.piece(pieces[start...]) else { break }
            start = piece.bytes.endIndex
        }
        pieces.removeFirst(start)
        last = last.map { $0 - start }
    }

    /// Forgets what is left of a line whose beginning is gone, where the first piece has its end.
    mutating func beginWithLine() {
        guard let first = Self.piece(pieces[...]), let end = first.bytes.firstIndex(of: 10),
            end + 1 < first.bytes.endIndex
        else { return }
        let length = first.bytes.endIndex - end - 1
        pieces.removeSubrange(Self.pieceHead...end)
        setLength(length, at: 0)
        last = last.map { $0 == 0 ? 0 : $0 - (first.bytes.count - length) }
    }

    /// Bytes of output.
    var byteCount: Int {
        var count = 0
        _ = Self.forEach(pieces[...]) { count += $1.count }
        return count
    }

    // MARK: Reading

    /// Gives the pieces of a log in their order. False when it is none, or from where it is damaged
    /// on.
    static func read(_ blob: [UInt8], _ body: (LogStream, ArraySlice<UInt8>) -> Void) -> Bool {
        guard blob.starts(with: head) else { return false }
        return forEach(blob[head.count...], body)
    }

    private static func forEach(
        _ pieces: ArraySlice<UInt8>, _ body: (LogStream, ArraySlice<UInt8>) -> Void
    ) -> Bool {
        var rest = pieces
        while !rest.isEmpty {
            guard let piece = piece(rest) else { return false }
            body(piece.stream, piece.bytes)
            rest = rest[piece.bytes.endIndex...]
        }
        return true
    }

    private static func piece(
        _ rest: ArraySlice<UInt8>
    ) -> (stream: LogStream, bytes: ArraySlice<UInt8>)? {
        guard rest.count >= pieceHead, let stream = LogStream(rawValue: rest[rest.startIndex])
        else { return nil }
        let start = rest.startIndex + pieceHead
        var length = 0
        for byte in 0..<4 { length |= Int(rest[rest.startIndex + 1 + byte]) << (8 * byte) }
        guard length <= mostPiece, length <= rest.endIndex - start else { return nil }
        return (stream, rest[start..<start + length])
    }
}
