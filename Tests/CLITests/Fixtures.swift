import Glibc

/// Files of `fixtures/`, read and, on purpose, written.
enum Fixtures {
    static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    static let isUpdating = getenv("DANUBE_UPDATE_GOLDENS") != nil

    /// The folders of a folder, sorted.
    static func cases(_ folder: String) -> [String] {
        guard let directory = opendir("\(root)/fixtures/\(folder)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if entry.pointee.d_type == UInt8(DT_DIR), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen("\(root)/fixtures/\(path)", "r") else { return nil }
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return all }
            all += chunk[..<count]
        }
    }

    static func write(_ path: String, _ bytes: [UInt8]) {
        guard let file = fopen("\(root)/fixtures/\(path)", "w") else { return }
        defer { fclose(file) }
        fwrite(bytes, 1, bytes.count, file)
    }

    /// Bytes as lines of text: escapes and other controls as `\e` and `\xNN`, one write a line.
    static func readable(_ writes: [[UInt8]]) -> [UInt8] {
        var text = ""
        for write in writes {
            for scalar in String(decoding: write, as: UTF8.self).unicodeScalars {
                switch scalar {
                case "\u{1b}": text += "\\e"
                case "\n": text += "\\n"
                case "\r": text += "\\r"
                case "\\": text += "\\\\"
                default:
                    if scalar.value < 0x20 {
                        text +=
                            "\\x" + (scalar.value < 16 ? "0" : "")
                            + String(scalar.value, radix: 16)
                    } else {
                        text.unicodeScalars.append(scalar)
                    }
                }
            }
            text += "\n"
        }
        return Array(text.utf8)
    }
}
