import Executor

/// Makes whole lines of what steps write in pieces.
struct LineAssembler {
    /// Bytes of a line after which it is shown in parts.
    static let bound = 4096

    /// Lines that have begun, by step and stream.
    private var partial: [Int: [UInt8]] = [:]

    /// Calls back with each line that is whole, without its end, and with parts of lines that
    /// are longer than the bound.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, step: Int, _ stream: OutputStream,
        line: (ArraySlice<UInt8>) -> Void
    ) {
        let key = step << 1 | (stream == .error ? 1 : 0)
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            emit(rest[rest.startIndex..<end], key, isEnd: true, line)
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty { emit(rest, key, isEnd: false, line) }
    }

    /// Calls back with what a step has begun and not ended.
    mutating func end(step: Int, line: (ArraySlice<UInt8>) -> Void) {
        for key in [step << 1, step << 1 | 1] {
            if let begun = partial.removeValue(forKey: key), !begun.isEmpty { line(begun[...]) }
        }
    }

    private mutating func emit(
        _ bytes: Slice<UnsafeRawBufferPointer>, _ key: Int, isEnd: Bool,
        _ line: (ArraySlice<UInt8>) -> Void
    ) {
        var all = partial.removeValue(forKey: key) ?? []
        all.append(contentsOf: bytes)
        var rest = all[...]
        while rest.count > Self.bound {
            let cut = Self.cut(rest)
            line(rest[..<cut])
            rest = rest[cut...]
        }
        if isEnd {
            line(rest)
        } else if !rest.isEmpty {
            partial[key] = Array(rest)
        }
    }

    /// Where a long line is cut: not within a character.
    private static func cut(_ bytes: ArraySlice<UInt8>) -> Int {
        let end = bytes.startIndex + bound
        for position in stride(from: end, to: end - 4, by: -1)
        where bytes[position] & 0xc0 != 0x80 { return position }
        return end
    }
}
