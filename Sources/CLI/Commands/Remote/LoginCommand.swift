import ArgumentParser
import Compiler
import Executor
import Glibc

/// `danube login`.
struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Remember a master and the token for it.",
        discussion: """
            The token is read from standard input, on a terminal without showing it. It is kept \
            in ${XDG_CONFIG_HOME:-~/.config}/danube/login.json, which nobody else may read. \
            DANUBE_MASTER and DANUBE_TOKEN go before what is remembered.
            """)

    @Argument(help: ArgumentHelp("The address of the master.", valueName: "url"))
    var url: String

    @Flag(help: "Send the token to a host that is not this one without encryption.")
    var insecureHttp = false

    private static let mostBytes = 16 << 10

    func run() throws {
        let address = try MasterAddress(url)
        try MasterOptions.checkEncryption(address, agreed: insecureHttp)
        let token = try Self.token(for: address)
        let client = MasterClient(
            address: address, token: token, timeout: try MasterOptions.timeout())
        let who = try client.json(.init(.get, "whoami"))
        guard let name = who["name"]?.text else { throw client.malformed("account") }
        let login = Login(
            address: address, token: token,
            isInsecure: insecureHttp && !address.isEncrypted && !address.isLoopback)
        try login.store()
        let scopes = (who["scopes"]?.elements ?? []).compactMap(\.text).joined(separator: ", ")
        var buffer = TextBuffer()
        buffer.safe("Logged in to \(address.text) as \(name)")
        if !scopes.isEmpty { buffer.safe(" (\(scopes))") }
        if let expires = who["expires"]?.time { buffer.put(" until \(expires.local)") }
        buffer.put(".")
        buffer.newline()
        Output.out(buffer)
    }

    private static func token(for address: MasterAddress) throws(Failure) -> String {
        let bytes = try HiddenInput.read("Token for \(address.text): ", limit: mostBytes)
        let text = String(decoding: bytes, as: UTF8.self)
        let token = String(
            text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        guard !token.isEmpty else {
            throw .mistake(
                "there is no token on standard input",
                hint: "`danube login \(address.text) < FILE`, or type it when asked.")
        }
        guard Login.isToken(token) else {
            throw .mistake("the token holds characters that no token has")
        }
        return token
    }
}

/// `danube logout`.
struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the master and the token for it.",
        discussion: "The token stays valid on the master.")

    func run() throws {
        let wasThere = try Login.remove()
        Output.err(
            wasThere ? "danube: note: the token is forgotten" : "danube: note: nobody is logged in")
    }
}
