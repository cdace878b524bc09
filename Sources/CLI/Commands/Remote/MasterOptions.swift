import ArgumentParser

/// Which master is asked, and with which token.
struct MasterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The master (default: DANUBE_MASTER, else where `danube login` was).",
            valueName: "url"))
    var master: String?

    @Flag(
        help: "Send the token to a host that is not this one without encryption.")
    var insecureHttp = false

    /// The master with the token for it. A token that is stored is sent nowhere but to the master
    /// that it was stored for.
    func client() throws(Failure) -> MasterClient {
        let given = master ?? Terminal.environment("DANUBE_MASTER")
        let token = Terminal.environment("DANUBE_TOKEN")
        // What is stored is read where it is needed alone, so that a damaged file harms no other.
        let stored = given == nil || token == nil ? try Login.stored() : nil
        guard
            let address = try given.map({ text throws(Failure) in try MasterAddress(text) })
                ?? stored?.address
        else {
            throw .mistake(
                "no master is known",
                hint: "`danube login URL`, or name it with --master or DANUBE_MASTER.")
        }
        let isStored = stored?.address == address
        if let token {
            guard Login.isToken(token) else {
                throw .mistake("DANUBE_TOKEN holds characters that no token has")
            }
        }
        guard let token = token ?? (isStored ? stored?.token : nil) else {
            throw .environment(
                "there is no token for \(address.text)",
                hint: "`danube login \(address.text)`, or set DANUBE_TOKEN.")
        }
        try Self.checkEncryption(
            address, agreed: insecureHttp || (isStored && stored?.isInsecure == true))
        return MasterClient(address: address, token: token, timeout: try Self.timeout())
    }

    /// Throws when a token would go over a network as it is, and nobody agreed to that.
    static func checkEncryption(_ address: MasterAddress, agreed: Bool) throws(Failure) {
        guard address.isEncrypted || address.isLoopback || agreed else {
            throw .mistake(
                "\(address.text) would receive the token without encryption",
                hint: "Use https://, or --insecure-http where the network is yours alone.")
        }
    }

    /// `DANUBE_MASTER_TIMEOUT`, or half a minute.
    static func timeout() throws(Failure) -> Duration {
        guard let text = Terminal.environment("DANUBE_MASTER_TIMEOUT") else { return .seconds(30) }
        return try LimitOptions.duration(text, option: "DANUBE_MASTER_TIMEOUT")
    }
}

/// Whether a command is for this machine or for a master.
struct RemoteOptions: ParsableArguments {
    @Flag(help: "Ask the master that `danube login` or DANUBE_MASTER names, not this machine.")
    var remote = false

    @OptionGroup var options: MasterOptions

    /// The jobs of the master; `nil` when this machine is meant.
    func jobs() throws(Failure) -> RemoteJobs? {
        guard remote || options.master != nil else { return nil }
        return RemoteJobs(master: try options.client())
    }
}
