/// Bytes as text (RFC 4648, with padding).
enum Base64 {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let end = min(position + 3, bytes.endIndex)
            var group: UInt32 = 0
            for index in position..<position + 3 {
                group = group << 8 | (index < end ? UInt32(bytes[index]) : 0)
            }
            for letter in 0..<4 {
                let isPadding = letter > end - position
                let value = Int(group >> UInt32(18 - 6 * letter)) & 63
                text.append(isPadding ? UInt8(ascii: "=") : letters[value])
            }
            position = end
        }
        return String(decoding: text, as: UTF8.self)
    }
}
