internal import FoundationEssentials

/// Base 64 of RFC 4648.
enum Base64 {
    /// The bytes of a text; `nil` when it is none.
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
}
