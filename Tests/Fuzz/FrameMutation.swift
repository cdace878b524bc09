/// Changes what an evaluator sends: whole frames, values within them, lengths.
struct FrameMutation {
    private struct Piece {
        var kind: UInt8
        var payload: [UInt8]
    }

    private let bytes: [UInt8]
    private let pieces: [Piece]
    private let others: [[UInt8]]

    init(_ bytes: [UInt8], _ others: [[UInt8]]) {
        self.bytes = bytes
        self.others = others
        pieces = Self.pieces(bytes)
    }

    func changed(_ chance: inout Chance) -> [UInt8] {
        if pieces.isEmpty || chance.oneIn(40) {
            // A length, a kind, the end: what stands between the payloads.
            return Mutation(bytes, others).changed(MarshalForm.self, &chance)
        }
        var pieces = pieces
        for _ in 0...chance.below(3) {
            let at = chance.below(pieces.count)
            switch chance.below(12) {
            case 0: pieces.insert(pieces[at], at: chance.below(pieces.count))
            case 1: if pieces.count > 1 { pieces.remove(at: at) }
            case 2: pieces.swapAt(at, chance.below(pieces.count))
            case 3: pieces[at].kind = chance.pick(Array("HQTPGDCAz".utf8))
            case 4:
                guard !others.isEmpty else { continue }
                let donors = Self.pieces(chance.pick(others))
                if !donors.isEmpty { pieces.insert(chance.pick(donors), at: at) }
            default:
                let donors = others.isEmpty ? [] : Self.pieces(chance.pick(others)).map(\.payload)
                pieces[at].payload =
                    Mutation(pieces[at].payload, donors).changed(MarshalForm.self, &chance)
            }
        }
        return pieces.reduce(into: []) { out, piece in
            let length = piece.payload.count + 1
            for index in 0..<4 { out.append(UInt8(truncatingIfNeeded: length >> (8 * index))) }
            out.append(piece.kind)
            out += piece.payload
        }
    }

    private static func pieces(_ bytes: [UInt8]) -> [Piece] {
        var found: [Piece] = []
        var at = 0
        while at + 5 <= bytes.count {
            var length = 0
            for index in 0..<4 { length |= Int(bytes[at + index]) << (8 * index) }
            guard length > 0, length <= bytes.count - at - 4 else { break }
            found.append(
                Piece(kind: bytes[at + 4], payload: Array(bytes[at + 5..<at + 4 + length])))
            at += 4 + length
        }
        return found
    }
}
