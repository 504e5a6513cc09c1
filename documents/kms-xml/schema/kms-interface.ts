/**
 * XML schema of the KMS interface, namespace urn:3gpp:ns:mcsecKMSInterface:1.0 (TS 33.180 D.3.5), in our own words.
 *
 * - Signature and EncryptedKey are any element of their namespaces here; xmldsig.ts and xenc.ts say what is in them.
 *   So the schemas import nothing, and compiling one opens no file.
 * - Key content has type anyType, of which both KeyContentType and EncKeyContentType are derived: `xsi:type` tells.
 * - KmsLookup, TrkId and SignatureId are named by the tables of D.2.2 and D.3.1, without a type that is at hand.
 *   KrrList is open, as its namespace has another schema (D.4.4).
 */

/** The end of most types: extensions are of another namespace, and unknown ones are ignored (D.1). */
const OPEN = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>';
const OPEN_ATTRIBUTES = '<xs:anyAttribute namespace="##other" processContents="lax"/>';
const ID = '<xs:attribute name="Id" type="xs:string"/>';

const version = (fixed?: string) =>
  `<xs:attribute name="Version" type="xs:string"${fixed === undefined ? "" : ` fixed="${fixed}"`}/>`;

/** A wrapper with the element that it signs. */
const signed = (name: string, minOccurs: number) => `
  <xs:element name="Signed${name}" type="Signed${name}Type"/>
  <xs:complexType name="Signed${name}Type">
    <xs:sequence>
      <xs:element ref="${name}"/>
      <xs:any namespace="http://www.w3.org/2000/09/xmldsig#" processContents="lax" minOccurs="${minOccurs}"/>
    </xs:sequence>
    ${ID}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>`;

/** A message, and its extension with new TrKs and InKs. */
const message = (name: string, content: string, attributes: string) => `
  <xs:complexType name="${name}Type">
    <xs:sequence>
      ${content}
      ${OPEN}
    </xs:sequence>
    ${ID}
    ${attributes}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
  <xs:complexType name="${name}TkIkType">
    <xs:complexContent>
      <xs:extension base="${name}Type">
        <xs:sequence>
          <xs:element name="NewTransportKey" type="EncKeyContentType" minOccurs="0" maxOccurs="unbounded"/>
          <xs:element name="NewIntegrityKey" type="EncKeyContentType" minOccurs="0" maxOccurs="unbounded"/>
        </xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>`;

export const KMS_INTERFACE_XSD = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0"
    targetNamespace="urn:3gpp:ns:mcsecKMSInterface:1.0" elementFormDefault="qualified" version="1.0">

  <xs:element name="KmsRequest" type="KmsRequestType"/>
  <xs:complexType name="KmsRequestType">
    <xs:sequence>
      <xs:element name="UserUri" type="xs:anyURI"/>
      <xs:element name="KmsUri" type="xs:anyURI"/>
      <xs:element name="Time" type="xs:dateTime"/>
      <xs:element name="ClientId" type="xs:string" minOccurs="0"/>
      <xs:element name="DeviceId" type="xs:string" minOccurs="0"/>
      <xs:element name="ClientReqUrl" type="xs:anyURI"/>
      <xs:element name="KrrList" type="KrrListType" minOccurs="0"/>
      <xs:element name="ClientError" type="ErrorType" minOccurs="0"/>
      <xs:element name="TrkId" type="xs:string" minOccurs="0"/>
      <xs:element name="SignatureId" type="xs:string" minOccurs="0"/>
      ${OPEN}
    </xs:sequence>
    ${ID}
    ${version("1.1.0")}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
  <xs:complexType name="KrrListType">
    <xs:sequence>
      <xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:anyAttribute namespace="##any" processContents="lax"/>
  </xs:complexType>
  <xs:complexType name="ErrorType">
    <xs:sequence>
      <xs:element name="ErrorCode" type="xs:integer"/>
      <xs:element name="ErrorMsg" type="xs:string"/>
      ${OPEN}
    </xs:sequence>
    ${ID}
    ${version()}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>

  <xs:element name="KmsResponse" type="KmsResponseType"/>
  <xs:complexType name="KmsResponseType">
    <xs:sequence>
      <xs:element name="UserUri" type="xs:anyURI"/>
      <xs:element name="KmsUri" type="xs:anyURI"/>
      <xs:element name="Time" type="xs:dateTime"/>
      <xs:element name="KmsId" type="xs:string" minOccurs="0"/>
      <xs:element name="ClientReqUrl" type="xs:anyURI"/>
      <xs:element name="KmsMessage" type="KmsMessageType" minOccurs="0"/>
      <xs:element name="KmsError" type="ErrorType" minOccurs="0"/>
      <xs:element name="TrkId" type="xs:string" minOccurs="0"/>
      <xs:element name="SignatureId" type="xs:string" minOccurs="0"/>
      ${OPEN}
    </xs:sequence>
    ${ID}
    ${version("1.0.0")}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
  <xs:complexType name="KmsMessageType">
    <xs:choice>
      <xs:element name="KmsInit" type="KmsInitType"/>
      <xs:element name="KmsKeyProv" type="KmsKeyProvType"/>
      <xs:element name="KmsCertCache" type="KmsCertCacheType"/>
      <xs:element name="KmsLookup" type="KmsLookupType"/>
      ${OPEN}
    </xs:choice>
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
${message(
  "KmsInit",
  '<xs:choice><xs:element ref="SignedKmsCertificate"/><xs:element ref="KmsCertificate"/></xs:choice>',
  version(),
)}
${message("KmsKeyProv", '<xs:element ref="KmsKeySet" minOccurs="0" maxOccurs="unbounded"/>', version("1.0.0"))}
${message(
  "KmsCertCache",
  `<xs:element ref="SignedKmsCertificate" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element ref="KmsCertificate" minOccurs="0" maxOccurs="unbounded"/>`,
  `${version("1.0.0")}<xs:attribute name="CacheNum" type="xs:integer"/>`,
)}
${message(
  "KmsLookup",
  '<xs:element name="KmsUri" type="xs:anyURI" minOccurs="0" maxOccurs="unbounded"/>',
  version("1.0.0"),
)}

  <xs:element name="KmsCertificate" type="KmsCertificateType"/>
  <xs:complexType name="KmsCertificateType">
    <xs:sequence>
      <xs:element name="CertUri" type="xs:anyURI" minOccurs="0"/>
      <xs:element name="KmsUri" type="xs:anyURI"/>
      <xs:element name="Issuer" type="xs:string" minOccurs="0"/>
      <xs:element name="ValidFrom" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="ValidTo" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="Revoked" type="xs:boolean" minOccurs="0"/>
      <xs:element name="UserIdFormat" type="xs:string"/>
      <xs:element name="UserKeyPeriod" type="xs:integer"/>
      <xs:element name="UserKeyOffset" type="xs:integer"/>
      <xs:element name="PubEncKey" type="xs:hexBinary"/>
      <xs:element name="PubAuthKey" type="xs:hexBinary"/>
      <xs:element name="ParameterSet" type="xs:integer" minOccurs="0"/>
      <xs:element name="KmsDomainList" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="KmsDomain" type="xs:anyURI" maxOccurs="unbounded"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      ${OPEN}
    </xs:sequence>
    ${ID}
    ${version()}
    <xs:attribute name="Role">
      <xs:simpleType>
        <xs:restriction base="xs:string">
          <xs:enumeration value="Root"/>
          <xs:enumeration value="External"/>
        </xs:restriction>
      </xs:simpleType>
    </xs:attribute>
    <xs:attribute name="IsSecurityGateway" type="xs:boolean"/>
    ${OPEN_ATTRIBUTES}
  </xs:complexType>

  <xs:element name="KmsKeySet" type="KmsKeySetType"/>
  <xs:complexType name="KmsKeySetType">
    <xs:sequence>
      <xs:element name="KmsUri" type="xs:anyURI"/>
      <xs:element name="CertUri" type="xs:anyURI" minOccurs="0"/>
      <xs:element name="Issuer" type="xs:string" minOccurs="0"/>
      <xs:element name="UserUri" type="xs:anyURI"/>
      <xs:element name="UserID" type="xs:string"/>
      <xs:element name="ValidFrom" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="ValidTo" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="KeyPeriodNo" type="xs:integer"/>
      <xs:element name="Revoked" type="xs:boolean" minOccurs="0"/>
      <xs:element name="UserDecryptKey" type="xs:anyType"/>
      <xs:element name="UserSigningKeySSK" type="xs:anyType"/>
      <xs:element name="UserPubTokenPVT" type="xs:anyType"/>
    </xs:sequence>
    ${ID}
    ${version("1.1.0")}
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
  <xs:complexType name="KeyContentType">
    <xs:simpleContent>
      <xs:extension base="xs:hexBinary">
        ${OPEN_ATTRIBUTES}
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  <xs:complexType name="EncKeyContentType">
    <xs:sequence>
      <xs:any namespace="http://www.w3.org/2001/04/xmlenc#" processContents="lax"/>
    </xs:sequence>
    ${OPEN_ATTRIBUTES}
  </xs:complexType>
${signed("KmsRequest", 1)}
${signed("KmsResponse", 0)}
${signed("KmsCertificate", 0)}
</xs:schema>
`;
