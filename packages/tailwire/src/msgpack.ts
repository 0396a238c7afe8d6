/** tailwire/msgpack: the codec to give to a server or a client that is to speak MessagePack. */
export { msgpackCodec } from "@tailwire/protocol/msgpack";
